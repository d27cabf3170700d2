// Pictures inside of documents, as far as their markers and checksums tell.
#pragma once

#include <cstdint>
#include <optional>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect {

// Where the picture that begins at the range's offset breaks; nothing when it holds. One that lacks only its end mark,
// or has bytes behind it, holds. Also nothing when the budget is spent.
using BrokenAt = std::optional<std::uint64_t>;
BrokenAt jpeg_breaks(Window& in, Range range, Budget& budget);      // ITU-T T.81, annex B
BrokenAt jpeg2000_breaks(Window& in, Range range, Budget& budget);  // ISO 15444-1, annex A and I
BrokenAt png_breaks(Window& in, Range range, Budget& budget);       // the chunks' checksums

}  // namespace kura::detect
