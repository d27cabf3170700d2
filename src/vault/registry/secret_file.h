// Files that only their owner may read.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::vault {

// Over what is there, complete or not at all, mode 0600.
base::Status write_secret(const std::string& path, std::string_view text);
// kDenied when others may read it.
base::Result<std::string> read_secret(const std::string& path);

// The seed of a signing key (Ed25519), as 64 hex digits.
base::Status write_seed(const std::string& path, const base::Key& seed);
base::Result<base::Key> read_seed(const std::string& path);

}  // namespace kura::vault
