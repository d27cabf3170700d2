#include "detect/documents/documents_kinds.h"

namespace kura::detect {

std::span<const Kind> documents_kinds() { return {}; }

}  // namespace kura::detect
