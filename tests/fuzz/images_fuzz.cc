// The judges of images: each kind that recognises the input checks it.
#include "detect/images/images_kinds.h"
#include "support/detect_kinds.h"
#include "support/fuzz_support.h"

namespace kura {

void fuzz::images(base::ByteSpan input) { try_kinds(detect::images_kinds(), input); }

}  // namespace kura
