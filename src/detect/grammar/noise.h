// Whether bytes look like those of a cipher or a compressor, for parts of a grammar that hold neither.
#pragma once

#include "base/bytes.h"

namespace kura::detect {

// The piece that is counted: smaller ones are never said to look random.
inline constexpr std::size_t kNoisePiece = 512;

// Of the first kNoisePiece bytes. Evenly spread bytes pass but for about one time in 100,000; text of any language,
// numbers of any width, machine code and tables do not pass.
bool looks_random(base::ByteSpan bytes);
// The same of every other stripe of `stripe` bytes (which divides kNoisePiece) of the first 2 * kNoisePiece bytes, the
// even or the odd ones: some ciphers leave the others as they were.
bool stripes_look_random(base::ByteSpan bytes, std::size_t stripe);

}  // namespace kura::detect
