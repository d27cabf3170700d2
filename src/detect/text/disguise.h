// Random bytes in printable clothes: base64, base32, hexadecimal or base85 of a ciphertext, as most of a file.
//
// A code over k signs of random bytes uses all k of them equally often, piece for piece; no language and no table does.
// Files that hold such codes by right say so around them (PEM, mail, uuencode, data: addresses), or what they decode to
// begins like a file of a known kind.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect {

// Told piece by piece, of 1 KiB each, in order. Costs about a nanosecond a byte where there are few spaces, nothing
// elsewhere.
class Disguise {
 public:
  enum class Coding : std::uint8_t { kNone, kHex, kBase32, kBase64, kBase85 };

  void add(base::ByteSpan piece);

  Coding coding() const { return coding_; }
  std::uint64_t seen() const { return seen_; }
  std::uint64_t coded() const { return coded_; }  // bytes in pieces that are codes of what looks random
  // Something around the codes says what they are for.
  bool is_armour() const { return armour_; }
  // The first decoded bytes (base64 and hexadecimal), for whoever knows how files begin.
  base::ByteSpan decoded_head() const { return decoded_; }
  // Most of the file is a code of random-looking bytes, and neither what stands around it nor how it begins tells why.
  bool is_suspicious() const;
  // The decoded bytes are encrypted by a program that says so ("Salted__").
  bool is_declared_cipher() const;
  std::string evidence() const;  // "it is base64 of what looks random"

 private:
  void look_for_armour(base::ByteSpan bytes);
  void begin(base::ByteSpan piece, Coding coding);

  std::uint64_t seen_ = 0;
  std::uint64_t coded_ = 0;
  Coding coding_ = Coding::kNone;
  bool armour_ = false;
  bool list_ = false;  // of digests or keys, one a line
  bool before_is_code_ = false;
  std::string before_;  // the end of the last piece that was none
  base::Bytes decoded_;
};

// Of a whole file of single-byte text.
Disguise find_disguise(Window& in, Budget& budget);

}  // namespace kura::detect
