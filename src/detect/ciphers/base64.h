// Base64 (RFC 4648, section 4) as armours write it: in lines, padded.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace kura::detect::base64 {

// Takes text in pieces and decodes it. Blanks and ends of lines are skipped; anything else that is not of the alphabet
// is an error, and so is text behind padding.
class Decoder {
 public:
  // Appends what `text` says to `out`; false on an error, which stays.
  bool feed(std::string_view text, base::Bytes& out);
  // Whether a whole number of bytes was said (padding may be left out), with no bits set behind the last.
  bool ends_well() const { return !bad_ && held_ != 6 && bits_ == 0 && (padding_ == 0 || padding_ * 2 == held_); }

 private:
  std::uint32_t bits_ = 0;
  unsigned held_ = 0;     // bits not given out yet
  unsigned padding_ = 0;  // characters of padding seen
  bool bad_ = false;
};

}  // namespace kura::detect::base64
