#include "detect/programs/programs_kinds.h"

namespace kura::detect {

std::span<const Kind> programs_kinds() { return {}; }

}  // namespace kura::detect
