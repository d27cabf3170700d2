// What a vault's journal and its copies of others' do with their files, which only grow.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::vault {

// All of `bytes`, from `offset` on. `path` is for messages.
base::Status write_at(int fd, base::ByteSpan bytes, std::uint64_t offset, const std::string& path);
// Its name, and those of other files beside it, are durable when it returns.
base::Status sync_folder_of(const std::string& path);
// Cuts what a crash left at the end, from `offset` on: `torn` is what stands there, and goes to PATH.torn-OFFSET first.
base::Status move_torn_end(int fd, const std::string& path, std::uint64_t offset, base::ByteSpan torn);

}  // namespace kura::vault
