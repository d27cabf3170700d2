// The judges of media: each kind that recognises the input checks it.
#include "detect/media/media_kinds.h"
#include "support/detect_kinds.h"
#include "support/fuzz_support.h"

namespace kura {

void fuzz::media(base::ByteSpan input) { try_kinds(detect::media_kinds(), input); }

}  // namespace kura
