// The validators of documents: what recognises an input judges it.
#include "detect/documents/documents_kinds.h"
#include "support/detect_kinds.h"

namespace kura {

void fuzz::documents(base::ByteSpan input) { try_kinds(detect::documents_kinds(), input); }

}  // namespace kura
