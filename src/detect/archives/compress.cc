// What Unix's compress writes (.Z): LZW codes of 9 to 16 bits. No checksum; damage shows as a code that has no entry
// yet.
#include <algorithm>

#include "detect/archives/validators.h"

namespace kura::detect::compress {
namespace {

constexpr unsigned kBlockMode = 0x80, kBitsMask = 0x1F, kReserved = 0x60;
constexpr unsigned kLeastBits = 9, kMostBits = 16;
constexpr std::uint32_t kClear = 256;
constexpr std::uint64_t kHeader = 3;

// Reads codes as compress groups them: eight at a time, so that a group is as many bytes as a code has bits. What is
// left of a group is skipped where the width changes.
class Codes {
 public:
  Codes(Window& in, std::uint64_t offset) : in_(in), group_(offset) {}

  bool at_end() const { return group_ + (bit_ + width_ + 7) / 8 > in_.size(); }
  std::uint32_t next() {
    const base::ByteSpan bytes = in_.at(group_ + bit_ / 8, 4);
    std::uint32_t word = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) word = word << 8 | bytes[i];
    const std::uint32_t code = word >> (bit_ % 8) & ((1U << width_) - 1);
    bit_ += width_;
    if (bit_ == std::uint64_t{width_} * 8) skip_group();
    return code;
  }
  void set_width(unsigned width) {
    if (bit_ > 0) skip_group();
    width_ = width;
  }
  unsigned width() const { return width_; }
  std::uint64_t offset() const { return group_ + bit_ / 8; }

 private:
  void skip_group() {
    group_ += width_;
    bit_ = 0;
  }

  Window& in_;
  std::uint64_t group_;
  std::uint64_t bit_ = 0;  // in the group
  unsigned width_ = kLeastBits;
};

}  // namespace

bool recognise(Window& in) {
  const auto head = in.whole(0, kHeader + 2);
  if (!head || !base::as_text(*head).starts_with("\x1f\x9d")) return false;
  const unsigned flags = (*head)[2], bits = flags & kBitsMask;
  // The first code is a byte.
  return (flags & kReserved) == 0 && bits >= kLeastBits && bits <= kMostBits && ((*head)[4] & 1) == 0;
}

Report check(Window& in, Budget& budget) {
  const unsigned flags = in.byte(2).value_or(0);
  const unsigned most_bits = flags & kBitsMask;
  const std::uint32_t first_free = (flags & kBlockMode) != 0 ? kClear + 1 : kClear;
  Codes codes(in, kHeader);
  std::uint32_t free = first_free;
  bool fresh = true;  // the next code begins a table: it is a byte and makes no entry
  while (!codes.at_end()) {
    if (!budget.spend(4)) return over_budget();
    const std::uint64_t at = codes.offset();
    const std::uint32_t code = codes.next();
    if (code == kClear && first_free > kClear) {
      codes.set_width(kLeastBits);
      free = first_free;
      fresh = true;
      continue;
    }
    const bool full = free >= 1U << most_bits;
    if (fresh ? code >= 256 : code > free || (full && code == free)) {
      return broken(at, "a code stands for nothing yet");
    }
    if (!fresh && !full) ++free;
    fresh = false;
    if (free >= 1U << codes.width() && codes.width() < most_bits) codes.set_width(codes.width() + 1);
  }
  return whole();
}

}  // namespace kura::detect::compress
