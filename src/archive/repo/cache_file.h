// Files in a machine's state that only save time: without them, and on a state folder that cannot be written,
// everything works all the same.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace kura::archive {

// Puts `parts`, one after the other, at `path`, complete or not at all, over what is there, with mode 0600. They are
// not synced: what a power loss leaves of them shows by the checksums that every such file has. False when it did not
// work.
bool write_cache_file(const std::string& path, std::span<const base::ByteSpan> parts);

// Removes the files of `folder` that `keep` does not say, and what killed processes have left half written a day ago.
void tidy_cache_folder(const std::string& folder, const std::function<bool(std::string_view name)>& keep);

}  // namespace kura::archive
