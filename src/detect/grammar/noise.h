// Whether bytes look like those of a cipher or a compressor, for parts of a grammar that hold neither.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "detect/input/window.h"

namespace kura::detect {

// The piece that is counted: smaller ones are never said to look random.
inline constexpr std::size_t kNoisePiece = 512;

// Of the first kNoisePiece bytes. Evenly spread bytes pass but for about one time in 100,000; text of any language,
// numbers of any width, machine code and tables do not pass.
bool looks_random(base::ByteSpan bytes);
// The same of every other stripe of `stripe` bytes (which divides kNoisePiece) of the first 2 * kNoisePiece bytes, the
// even or the odd ones: some ciphers leave the others as they were.
bool stripes_look_random(base::ByteSpan bytes, std::size_t stripe);

// What is encrypted at a time by who encrypts parts of a file; he counts from the file's beginning.
inline constexpr std::size_t kForeignBlock = 4096;

// Whether all of the block at `offset` looks random.
bool random_block(Window& in, std::uint64_t offset);

// Of contents that lie at `places` of the file, one after the other, and begin at `begin` in `contents`: where in
// `contents` the first run of whole blocks of the file lies that look random all over and stand out from what is around
// them, if there is one. Data that are packed by design begin and end anywhere, with a head and a tail of their own.
// The run may touch an end of the contents, not both. Costs a look at 128 bytes for each block, and when there is
// such a run, about a nanosecond a byte.
std::optional<std::uint64_t> foreign_block(Window& contents, std::uint64_t begin, std::span<const Range> places);

}  // namespace kura::detect
