#include "detect/disks/disks_kinds.h"
#include "support/detect_kinds.h"

void kura::fuzz::detect_disks(base::ByteSpan input) { try_kinds(detect::disks_kinds(), input); }
