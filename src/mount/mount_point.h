// The folder to mount at, and whether this machine can mount there: asked before anybody types a passphrase.
#pragma once

#include <string>

#include "base/error.h"

namespace kura::mount {

// kUnsupported without FUSE, kNotFound, kUsage when it is no empty folder, kDenied when other users may not be let in.
base::Status check_mount_point(const std::string& folder, bool allow_other);

}  // namespace kura::mount
