#include "detect/images/images_kinds.h"

namespace kura::detect {

std::span<const Kind> images_kinds() { return {}; }

}  // namespace kura::detect
