// The validators of archives: what recognises an input judges it.
#include "detect/archives/archives_kinds.h"
#include "support/detect_kinds.h"

namespace kura {

void fuzz::archives(base::ByteSpan input) { try_kinds(detect::archives_kinds(), input); }

}  // namespace kura
