// The validators of ciphers: what recognises an input judges it.
#include "detect/ciphers/ciphers_kinds.h"
#include "support/detect_fuzz.h"

namespace kura {

void fuzz::ciphers(base::ByteSpan input) { judge(detect::ciphers_kinds(), input); }

}  // namespace kura
