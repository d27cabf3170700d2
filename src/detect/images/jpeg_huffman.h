// Huffman codes of JPEG (ITU-T T.81, annexes C and F), and the bits of one entropy-coded segment.
#pragma once

#include <array>
#include <cstdint>

#include "detect/input/window.h"

namespace kura::detect::jpeg {

// The bits of a scan: stuffed zeros are taken out, and nothing is read over a marker. Beyond the end there are ones.
class Bits {
 public:
  Bits(Window& in, Range range) : in_(&in), offset_(range.offset), end_(range.end()) {}

  // The next 16 bits, not taken. At least 32 are there to be taken without another call of this or `take`.
  std::uint32_t peek16() {
    if (held_ < 32) fill();
    return static_cast<std::uint32_t>(bits_ >> 48);
  }
  void skip(unsigned count) {  // of those that were peeked
    bits_ <<= count;
    held_ -= count;
  }
  std::uint32_t take(unsigned count) {  // at most 16
    if (count == 0) return 0;
    const std::uint32_t value = peek16() >> (16 - count);
    skip(count);
    return value;
  }
  // Whether more was taken than there was.
  bool ran_out() const { return held_ < made_up_; }
  // Bytes that are left before the next marker, or before the end.
  std::uint64_t left();
  // Goes on after the restart marker at which the bits ended; false when there is none.
  bool restart();
  std::uint64_t offset() const { return offset_ - (size_ - next_); }

 private:
  void fill();
  bool more();

  Window* in_;
  std::uint64_t offset_;  // after the view
  std::uint64_t end_;
  const std::uint8_t* view_ = nullptr;
  std::size_t next_ = 0;
  std::size_t size_ = 0;
  std::uint64_t bits_ = 0;
  unsigned held_ = 0;
  unsigned made_up_ = 0;  // of those held, bits that are not in the file
  bool at_marker_ = false;
};

class Huffman {
 public:
  // `counts` has the number of codes of 1 to 16 bits; false when they do not fit or a symbol is missing.
  bool build(base::ByteSpan counts, base::ByteSpan symbols);
  bool built() const { return built_; }
  // The next symbol, or -1 for bits that are no code.
  int take(Bits& bits) const {
    const std::uint32_t look = bits.peek16();
    const std::uint16_t quick = quick_[look >> (16 - kQuick)];
    if (quick != 0) {
      bits.skip(quick >> 8U);
      return quick & 0xFF;
    }
    return take_long(bits, look);
  }

 private:
  static constexpr unsigned kQuick = 10;
  int take_long(Bits& bits, std::uint32_t look) const;

  std::array<std::uint16_t, 1U << kQuick> quick_{};  // length << 8 | symbol
  std::array<std::uint32_t, 17> limit_{};            // the first 16 bits that are beyond the codes of this length
  std::array<std::uint32_t, 17> first_{};            // the first code of this length
  std::array<std::uint16_t, 17> index_{};            // where its symbols begin
  std::array<std::uint8_t, 256> symbols_{};
  bool built_ = false;
};

}  // namespace kura::detect::jpeg
