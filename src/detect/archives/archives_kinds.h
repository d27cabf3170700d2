// The kinds of this folder, in the order in which they are to be asked.
#pragma once

#include <span>

#include "detect/grammar/kind.h"

namespace kura::detect {

std::span<const Kind> archives_kinds();

}  // namespace kura::detect
