// LZW as GIF and TIFF have it: the codes are followed and counted, without making what they stand for.
#pragma once

#include <array>
#include <cstdint>

#include "detect/input/window.h"

namespace kura::detect::lzw {

enum class Order : std::uint8_t {
  kLowFirst,   // GIF (GIF89a, appendix F); old TIFF writers
  kHighFirst,  // TIFF 6.0, section 13: a code becomes longer one code earlier
};

class Codes {
 public:
  // `bits` of a literal: 2 to 8 (GIF's minimum code size; 8 in TIFF).
  Codes(Order order, unsigned bits);

  // Follows the codes in `bytes`; false for one that stands for nothing.
  bool follow(base::ByteSpan bytes);
  bool ended() const { return ended_; }
  // Bytes (of GIF, pixels) that the codes so far stand for.
  std::uint64_t made() const { return made_; }

 private:
  bool code(std::uint32_t code);

  Order order_;
  unsigned literal_bits_;
  unsigned code_bits_;
  std::uint32_t next_ = 0;    // the next code that is given
  std::uint32_t before_ = 0;  // how much the code before stands for; 0 after a clear code
  std::uint64_t bits_ = 0;
  unsigned held_ = 0;
  std::uint64_t made_ = 0;
  bool ended_ = false;
  std::array<std::uint16_t, 4096> lengths_{};
};

}  // namespace kura::detect::lzw
