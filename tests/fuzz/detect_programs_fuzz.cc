#include "detect/programs/programs_kinds.h"
#include "support/detect_kinds.h"

void kura::fuzz::detect_programs(base::ByteSpan input) { try_kinds(detect::programs_kinds(), input); }
