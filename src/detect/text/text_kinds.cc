#include "detect/text/text_kinds.h"

namespace kura::detect {

std::span<const Kind> text_kinds() { return {}; }

}  // namespace kura::detect
