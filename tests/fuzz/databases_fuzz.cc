// The validators of databases: what recognises an input judges it.
#include "detect/databases/databases_kinds.h"
#include "support/detect_kinds.h"

namespace kura {

void fuzz::databases(base::ByteSpan input) { try_kinds(detect::databases_kinds(), input); }

}  // namespace kura
