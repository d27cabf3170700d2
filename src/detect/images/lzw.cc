#include "detect/images/lzw.h"

#include <algorithm>

namespace kura::detect::lzw {

Codes::Codes(Order order, unsigned bits)
    : order_(order), literal_bits_(std::clamp(bits, 1U, 11U)), code_bits_(literal_bits_ + 1) {
  std::fill_n(lengths_.begin(), 1U << literal_bits_, std::uint16_t{1});
  next_ = (1U << literal_bits_) + 2;
}

bool Codes::code(std::uint32_t code) {
  const std::uint32_t clear = 1U << literal_bits_;
  if (code == clear) {
    next_ = clear + 2;
    code_bits_ = literal_bits_ + 1;
    before_ = 0;
    return true;
  }
  if (code == clear + 1) {
    ended_ = true;
    return true;
  }
  if (code > next_ || (code >= next_ && (before_ == 0 || next_ >= 4096))) return false;
  if (before_ != 0 && next_ < 4096) {
    lengths_[next_++] = static_cast<std::uint16_t>(before_ + 1);
    const std::uint32_t early = order_ == Order::kHighFirst ? 1 : 0;
    if (next_ + early >= (1U << code_bits_) && code_bits_ < 12) ++code_bits_;
  }
  before_ = lengths_[code];
  made_ += before_;
  return true;
}

bool Codes::follow(base::ByteSpan bytes) {
  for (const std::uint8_t byte : bytes) {
    if (ended_) return true;
    if (order_ == Order::kLowFirst) {
      bits_ |= std::uint64_t{byte} << held_;
    } else {
      bits_ = bits_ << 8U | byte;
    }
    held_ += 8;
    while (held_ >= code_bits_ && !ended_) {
      const std::uint64_t mask = (1ULL << code_bits_) - 1;
      held_ -= code_bits_;
      const std::uint64_t next = order_ == Order::kLowFirst ? bits_ & mask : bits_ >> held_ & mask;
      if (order_ == Order::kLowFirst) bits_ >>= code_bits_;
      if (!code(static_cast<std::uint32_t>(next))) return false;
    }
  }
  return true;
}

}  // namespace kura::detect::lzw
