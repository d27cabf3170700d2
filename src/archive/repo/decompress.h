// Opening what zstd has made small.
#pragma once

#include "base/bytes.h"

namespace kura::archive {

// Whether `compressed` is exactly one zstd frame that opens to exactly out.size() bytes: nothing beyond them is ever
// written. Bytes may come from anybody. Each thread keeps a context.
bool decompress(base::ByteSpan compressed, base::MutableByteSpan out);

}  // namespace kura::archive
