// The bytes of one remembered file.
#pragma once

#include "archive/backup/file_cache.h"

namespace kura::archive {

void encode_cached_file(const CachedFile& file, base::Encoder& out);
// Fails through `in`.
CachedFile decode_cached_file(base::Decoder& in);

}  // namespace kura::archive
