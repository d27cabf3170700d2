// A file that appears under its name complete or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "store/file_system.h"

namespace kura::store {

// A name nobody else uses: "<pid>-<16 random hex digits>".
std::string temporary_name();
// Whether `name` could come from temporary_name().
bool is_temporary_name(std::string_view name);

// Writes `parts` one after the other to `temporary` (in the same file system as `path`), syncs it and renames it to
// `path`, over what is there. The contents are then durable; the name is after sync_folder(). After an error
// `temporary` is gone, as far as the system allows it, and `path` is as before. `modified` is the file's time, ns since
// 1970, if not now.
base::Status write_atomically(FileSystem& files, const std::string& temporary, const std::string& path,
                              std::span<const base::ByteSpan> parts,
                              std::optional<std::int64_t> modified = std::nullopt);

// A small file of this program's own, over what is there: as write_atomically(), by a name beside `path` that nobody
// else uses, so nothing that a crash left is in the way.
base::Status write_small_file(const std::string& path, base::ByteSpan bytes);

}  // namespace kura::store
