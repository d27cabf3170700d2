// How often each byte value comes, and whether that is what random bytes would give.
//
// For n random bytes, Pearson's chi-square over 256 values has a mean of 255 and a standard deviation of 22.6, whatever
// n is (NIST SP 800-22 and Knuth, TAOCP vol. 2, 3.3.1). Text, records, samples and machine code are far above it:
// thousands for a block of 4 KiB. What is compressed is near it: so this tells what is plain, and never that something
// is encrypted.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace kura::detect {

class ByteCounts {
 public:
  // About a byte a nanosecond or less.
  void add(base::ByteSpan bytes);
  void add(const ByteCounts& more);

  std::uint64_t total() const { return total_; }
  std::uint32_t of(std::uint8_t value) const { return counts_[value]; }
  unsigned distinct() const;  // values that came at all
  double chi_square() const;  // 0 for nothing
  // Within five standard deviations of what random bytes give; wants at least 256 bytes to say so.
  bool looks_random() const;

 private:
  std::array<std::uint32_t, 256> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace kura::detect
