// libfuse's low-level interface, at the version that this room is written for. Include it nowhere else: callers of the
// room need no libfuse.
#pragma once

#define FUSE_USE_VERSION 312  // NOLINT(readability-identifier-naming): libfuse looks for it

#include <fuse_lowlevel.h>  // IWYU pragma: export
