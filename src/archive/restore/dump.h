// A file's bytes, in order, checked, to a sink (standard output).
#pragma once

#include <functional>

#include "archive/format/entry.h"
#include "archive/repo/pack_reader.h"

namespace kura::archive {

// Holes are given as zeros. `sink` may end it with an error.
base::Status dump_file(PackReader& reader, const Entry& file, const std::function<base::Status(base::ByteSpan)>& sink);

}  // namespace kura::archive
