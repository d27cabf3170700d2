#include "archive/backup/window_scan.h"

#include "archive/backup/window_scan_codes.h"
#include "base/simd.h"

namespace kura::archive {

WindowScan::Code WindowScan::best() {
#if defined(__x86_64__)
  if (!base::simd_wanted()) return Code::kScalar;
  // Those before the ones with VBMI2 slow down for registers of 64 bytes.
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2")) return Code::kAvx512;
  if (__builtin_cpu_supports("avx2")) return Code::kAvx2;
#endif
  return Code::kScalar;
}

WindowScan::WindowScan(const GearTable& gear, int bits, Code code)
    : tables_{}, mask_(static_cast<std::uint16_t>(0xffffU << (16 - bits))), code_(code) {
  for (std::size_t i = 0; i < 16; ++i) {
    tables_.high[i] = static_cast<std::uint16_t>(gear[i]);
    tables_.low[i] = static_cast<std::uint16_t>(gear[16 + i]);
  }
}

const std::uint8_t* WindowScan::find(const std::uint8_t* at, const std::uint8_t* end) const {
#if defined(__x86_64__)
  if (code_ == Code::kAvx512) at = scan_avx512(tables_, mask_, at, end);
  if (code_ == Code::kAvx2) at = scan_avx2(tables_, mask_, at, end);
#endif
  std::uint16_t hash = 0;
  for (const std::uint8_t* byte = at - kWindow; byte < at; ++byte) hash = roll(hash, *byte);
  while (at < end) {
    hash = roll(hash, *at++);
    if (is_wanted(hash)) return at;
  }
  return nullptr;
}

}  // namespace kura::archive
