#include "detect/archives/archives_kinds.h"

namespace kura::detect {

std::span<const Kind> archives_kinds() { return {}; }

}  // namespace kura::detect
