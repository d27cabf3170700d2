#include "detect/media/media_kinds.h"

namespace kura::detect {

std::span<const Kind> media_kinds() { return {}; }

}  // namespace kura::detect
