// Which encoding a text is in, and whether bytes are text at all: told by bytes that no encoding of text has.
//
// Text has no magic. But in every encoding of bytes (ASCII, UTF-8, the ISO-8859s, Windows code pages, Shift_JIS, the
// EUCs, GB18030, Big5, ISO-2022) the control characters other than line ends and a few old friends are as good as never
// used, not even as a later byte of a character, and of random bytes they are a tenth, each of them as often as the
// others.
#pragma once

#include <cstdint>

#include "detect/input/window.h"

namespace kura::detect::text {

enum class Encoding : std::uint8_t {
  kNone,  // not text
  kUtf8,  // and ASCII
  kIso2022,
  kUtf16Little,
  kUtf16Big,
  kUtf32Little,
  kUtf32Big,
  kShiftJis,
  kEuc,  // EUC-JP, EUC-KR, GB2312: valid in one is valid in all
  kGb18030,
  kBig5,
  kEightBit,  // one byte a character: ISO-8859-x, Windows-125x, KOI8, code page 437; or a mix
};

inline bool is_wide(Encoding encoding) { return encoding >= Encoding::kUtf16Little && encoding <= Encoding::kUtf32Big; }

// Bytes of text are looked at in pieces of so many.
inline constexpr std::size_t kPiece = 1024;

// What bytes are, by their control characters.
enum class Texture : std::uint8_t {
  kText,
  kOther,   // no text, and not random either: records, numbers, zeros
  kRandom,  // random bytes, or text with random bytes strewn in
};
// Of at most a few pieces. Random bytes are told from 24 bytes on, and surely from 64 on.
Texture texture(base::ByteSpan bytes);
// For less than a piece, of a text in UTF-8 or of unknown encoding: wrong characters and control characters together.
bool is_scrambled(base::ByteSpan bytes);
// The same for units of 2 or 4 bytes.
Texture wide_texture(base::ByteSpan bytes, Encoding encoding);

// By the first 4 KiB; and when these look random, by the rest: a text whose head was encrypted is still known.
Encoding encoding_of(Window& in);

}  // namespace kura::detect::text
