// An upload whose bytes wait in an unnamed file until they are whole, and go to the store in one put(): for a store
// that is sent an object at once, by somebody who is sent it slowly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "store/store.h"

namespace kura::store {

// `folder`: where the file is, which vanishes with the upload or the process. Memory: the
// object, during finish().
// kNoSpace, kDenied, kIo; kUnsupported where the file system has no unnamed files.
base::Result<std::unique_ptr<Upload>> spooled_upload(Store& store, Kind kind, const ObjectId& id, std::uint64_t size,
                                                     const std::string& folder);

}  // namespace kura::store
