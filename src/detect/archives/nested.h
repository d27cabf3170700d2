// A stretch of a file as a file of its own: what an archive holds unpacked, judged by the kinds of this folder.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::nested {

// What the contents of a member without a checksum are like. One that is of a kind that unpacks quickly or has
// checksums of its own is proven by it: nothing is added, or `found` says what is broken in it. Another's stretch is
// added, plain when it begins as text and dense else, as nothing tells it. False when `report` is now the end.
bool check_member(Window& in, Range range, Budget& budget, Report& report, std::string_view name);

}  // namespace kura::detect::nested
