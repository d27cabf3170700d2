#include "detect/ciphers/ciphers_kinds.h"

namespace kura::detect {

std::span<const Kind> ciphers_kinds() { return {}; }

}  // namespace kura::detect
