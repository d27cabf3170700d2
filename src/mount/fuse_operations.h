// What the kernel asks for, answered by a FileSystem: one function a kind of question, as libfuse's low-level interface
// wants them.
#pragma once

#include "mount/file_system.h"
#include "mount/fuse.h"
#include "mount/handles.h"

namespace kura::mount {

// The session's user data.
struct Mounted {
  FileSystem& system;
  bool allow_other = false;  // the kernel then checks permissions, ACLs included
  Handles<FileHandle> files{};
  Handles<FileSystem::Listing> listings{};
};

const fuse_lowlevel_ops& fuse_operations();

}  // namespace kura::mount
