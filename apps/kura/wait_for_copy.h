// Waiting until a snapshot is in a second vault.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "app/output.h"
#include "base/error.h"
#include "store/store.h"

namespace kura::app {

// Asks the vault until it says that another one has the snapshot, and which. kConflict when that does not come within
// `longest`: the snapshot is there all the same.
base::Result<std::vector<std::string>> wait_for_copy(Output& output, store::Store& store,
                                                     const store::ObjectId& snapshot, std::chrono::seconds longest,
                                                     const std::stop_token& stop);

}  // namespace kura::app
