#include "detect/text/text_kinds.h"
#include "support/detect_kinds.h"

void kura::fuzz::detect_text(base::ByteSpan input) { try_kinds(detect::text_kinds(), input); }
