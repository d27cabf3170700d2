// Which of the config objects in a store is in force.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

// Those that are whole, in the order of their ids.
base::Result<std::vector<FoundConfig>> find_whole_configs(store::Store& store);

}  // namespace kura::archive
