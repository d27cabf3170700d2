#include "detect/databases/databases_kinds.h"

namespace kura::detect {

std::span<const Kind> databases_kinds() { return {}; }

}  // namespace kura::detect
