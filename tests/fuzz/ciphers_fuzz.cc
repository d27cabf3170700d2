// The validators of ciphers: what recognises an input judges it.
#include "detect/ciphers/ciphers_kinds.h"
#include "support/detect_kinds.h"

namespace kura {

void fuzz::ciphers(base::ByteSpan input) { try_kinds(detect::ciphers_kinds(), input); }

}  // namespace kura
