// Compiled for processors with AVX-512 (CMakeLists.txt).
#if defined(__AVX512BW__)
#include <immintrin.h>

#include "archive/backup/window_scan_codes.h"

namespace kura::archive {
namespace {

class Avx512 {
 public:
  static constexpr long kBytes = 64;
  using Words [[gnu::vector_size(64)]] = std::uint16_t;

  Avx512(const TablePlanes& planes, std::uint16_t mask) : mask_(_mm512_set1_epi16(static_cast<short>(mask))) {
    for (int plane = 0; plane < 2; ++plane) {
      high_[plane] = four_times(planes.high[plane]);
      low_[plane] = four_times(planes.low[plane]);
    }
  }

  // t() of 64 bytes, in their order.
  void first_sums(const std::uint8_t* bytes, Words& first, Words& second) const {
    const __m512i nibble = _mm512_set1_epi8(0x0f);
    __m512i in = _mm512_loadu_si512(bytes);
    // Unpacking works in each quarter of its own.
    in = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), in);
    const __m512i low = _mm512_and_si512(in, nibble);
    const __m512i high = _mm512_and_si512(_mm512_srli_epi16(in, 4), nibble);
    __m512i plane[2];
    for (int i = 0; i < 2; ++i) {
      plane[i] = _mm512_xor_si512(_mm512_shuffle_epi8(high_[i], high), _mm512_shuffle_epi8(low_[i], low));
    }
    first = reinterpret_cast<Words>(_mm512_unpacklo_epi8(plane[0], plane[1]));
    second = reinterpret_cast<Words>(_mm512_unpackhi_epi8(plane[0], plane[1]));
  }

  // The last kCount of `before`, then `now` but its last kCount.
  template <int kCount>
  static Words last_of(Words before, Words now) {
    const auto a = reinterpret_cast<__m512i>(before);
    const auto b = reinterpret_cast<__m512i>(now);
    if constexpr (kCount == 8) return reinterpret_cast<Words>(_mm512_alignr_epi64(b, a, 6));
    const __m512i between = _mm512_alignr_epi64(b, a, 6);
    return reinterpret_cast<Words>(_mm512_alignr_epi8(b, between, 16 - 2 * kCount));
  }

  bool any_wanted(Words a, Words b) const {
    const __mmask32 in_a = _mm512_testn_epi16_mask(reinterpret_cast<__m512i>(a), mask_);
    const __mmask32 in_b = _mm512_testn_epi16_mask(reinterpret_cast<__m512i>(b), mask_);
    return (in_a | in_b) != 0;
  }

 private:
  static __m512i four_times(const std::uint8_t* table) {
    return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
  }
  __m512i mask_, high_[2], low_[2];
};

}  // namespace

const std::uint8_t* scan_avx512(const WindowScan::Tables& tables, std::uint16_t mask, const std::uint8_t* at,
                                const std::uint8_t* end) {
  return scan<Avx512>(tables, mask, at, end);
}

}  // namespace kura::archive
#endif
