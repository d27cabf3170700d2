// Which of the config objects in a store is in force.
#pragma once

#include <optional>
#include <string>

#include "archive/format/config.h"
#include "store/store.h"

namespace kura::archive {

struct FoundConfig {
  store::ObjectId id;
  Config config;
};

// By the rules and with the errors of Repository::open().
base::Result<FoundConfig> find_config(store::Store& store, const std::string& state_folder,
                                      const std::optional<store::ObjectId>& named);

}  // namespace kura::archive
