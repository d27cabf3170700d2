// Tables of names between zero bytes, as linkers and compilers write them.
#pragma once

#include <optional>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::programs {

// Where the first KiB lies that has more control characters than names do; nothing when they are names throughout.
// Spends what it reads.
std::optional<std::uint64_t> first_not_names(Window& in, Range range, Budget& budget);

}  // namespace kura::detect::programs
