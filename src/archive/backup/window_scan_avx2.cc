// Compiled for processors with AVX2 (CMakeLists.txt).
#if defined(__AVX2__)
#include <immintrin.h>

#include "archive/backup/window_scan_codes.h"

namespace kura::archive {
namespace {

class Avx2 {
 public:
  static constexpr long kBytes = 32;
  using Words [[gnu::vector_size(32)]] = std::uint16_t;

  Avx2(const TablePlanes& planes, std::uint16_t mask) : mask_(_mm256_set1_epi16(static_cast<short>(mask))) {
    for (int plane = 0; plane < 2; ++plane) {
      high_[plane] = twice(planes.high[plane]);
      low_[plane] = twice(planes.low[plane]);
    }
  }

  // t() of 32 bytes, in their order.
  void first_sums(const std::uint8_t* bytes, Words& first, Words& second) const {
    const __m256i nibble = _mm256_set1_epi8(0x0f);
    __m256i in = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(bytes));
    in = _mm256_permute4x64_epi64(in, 0b11'01'10'00);  // unpacking works in each half of its own
    const __m256i low = _mm256_and_si256(in, nibble);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(in, 4), nibble);
    __m256i plane[2];
    for (int i = 0; i < 2; ++i) {
      plane[i] = _mm256_xor_si256(_mm256_shuffle_epi8(high_[i], high), _mm256_shuffle_epi8(low_[i], low));
    }
    first = reinterpret_cast<Words>(_mm256_unpacklo_epi8(plane[0], plane[1]));
    second = reinterpret_cast<Words>(_mm256_unpackhi_epi8(plane[0], plane[1]));
  }

  // The last kCount of `before`, then `now` but its last kCount.
  template <int kCount>
  static Words last_of(Words before, Words now) {
    const auto a = reinterpret_cast<__m256i>(before);
    const auto b = reinterpret_cast<__m256i>(now);
    const __m256i between = _mm256_permute2x128_si256(a, b, 0x21);
    return reinterpret_cast<Words>(_mm256_alignr_epi8(b, between, 16 - 2 * kCount));
  }

  bool any_wanted(Words a, Words b) const {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i in_a = _mm256_cmpeq_epi16(_mm256_and_si256(reinterpret_cast<__m256i>(a), mask_), zero);
    const __m256i in_b = _mm256_cmpeq_epi16(_mm256_and_si256(reinterpret_cast<__m256i>(b), mask_), zero);
    return _mm256_movemask_epi8(_mm256_or_si256(in_a, in_b)) != 0;
  }

 private:
  static __m256i twice(const std::uint8_t* table) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
  }
  __m256i mask_, high_[2], low_[2];
};

}  // namespace

const std::uint8_t* scan_avx2(const WindowScan::Tables& tables, std::uint16_t mask, const std::uint8_t* at,
                              const std::uint8_t* end) {
  return scan<Avx2>(tables, mask, at, end);
}

}  // namespace kura::archive
#endif
