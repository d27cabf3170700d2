// Small texts that were encrypted: too few bytes for statistics, and enough to see that they are no text any more.
#pragma once

#include "detect/input/window.h"

namespace kura::detect {

// Whether `before` was a text in UTF-8 of at most 1 KiB, and `after` is as long and none, because of cells of 16 bytes
// (or the rest behind the last) that have hardly a byte in common with what was there: a text that is edited or put
// into another encoding keeps its line ends and digits, or is as long no more. Of 3 bytes that became random it misses
// one of 18, of 5 one of 120, of 8 one of 2,000: those are text by chance. Reads both only when their lengths fit.
bool is_no_text_any_more(Window& before, Window& after);

}  // namespace kura::detect
