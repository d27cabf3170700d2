#include "archive/repo/find_config.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/repo/machine.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using store::Kind;
using Ids = std::vector<store::ObjectId>;

constexpr const char* kRestoreConfig =
    "where the repository keeps parity, `kura check --repair` brings it back; else copy the object back from another "
    "copy of the repository";

bool contains(const Ids& ids, const store::ObjectId& id) { return std::ranges::find(ids, id) != ids.end(); }

Result<FoundConfig> read_config(store::Store& store, const store::ObjectId& id) {
  const base::Bytes bytes = KURA_TRY(store.get(Kind::kConfig, id, kConfigLimit));
  Result<Config> config = Config::decode(bytes);
  if (config) return FoundConfig{.id = id, .config = *std::move(config)};
  const std::string hint = config.error().hint().empty() ? kRestoreConfig : config.error().hint();
  return base::fail(
      std::move(config).error().within(fmt::format("config {} in {}", id.hex(), store.describe())).with_hint(hint));
}

// The store has no config: was it ever a repository? Keys alone are what an `init` that was cut short leaves.
Result<FoundConfig> no_config(store::Store& store) {
  if (!KURA_TRY(store.list(Kind::kSnapshot)).empty()) {
    return base::fail(ErrorCode::kDamaged, fmt::format("{} has snapshots, but its config is gone", store.describe()),
                      kRestoreConfig);
  }
  const bool unfinished = !KURA_TRY(store.list(Kind::kKey)).empty();
  return base::fail(
      ErrorCode::kNotFound,
      fmt::format("{} is not a repository{}", store.describe(), unfinished ? " yet: it has keys, but no config" : ""),
      unfinished
          ? fmt::format("what made it was cut short: run `kura init -r {}` or `kura copy` again", store.describe())
          : fmt::format("make one with `kura init -r {}`", store.describe()));
}

std::unexpected<base::Error> several_configs(store::Store& store, const Ids& ids) {
  std::string names;
  for (const store::ObjectId& id : ids) names += (names.empty() ? "" : ", ") + id.hex();
  return base::fail(
      ErrorCode::kDamaged,
      fmt::format("{} has {} configs, and nothing says which is in force: {}", store.describe(), ids.size(), names),
      "somebody has put one there; the recovery key tells the right one (--recovery-key FILE, or its passphrase by "
      "--passphrase-file FILE), and so does the state folder of a machine that was backed up");
}

struct Configs {
  std::vector<FoundConfig> whole;
  std::optional<base::Error> problem;  // of those that are not
};

// An object that cannot be read for another reason than its bytes may be the right one.
Result<Configs> read_configs(store::Store& store, const Ids& ids) {
  Configs configs;
  for (const store::ObjectId& id : ids) {
    Result<FoundConfig> found = read_config(store, id);
    if (found) {
      configs.whole.push_back(*std::move(found));
      continue;
    }
    const ErrorCode code = found.error().code();
    if (code != ErrorCode::kDamaged && code != ErrorCode::kUnsupported) return base::fail(std::move(found).error());
    // Of several, the newer version is more likely the repository's than what is broken.
    if (!configs.problem || code == ErrorCode::kUnsupported) configs.problem = std::move(found).error();
  }
  return configs;
}

Result<FoundConfig> only_whole_config(store::Store& store, const Ids& ids) {
  Configs configs = KURA_TRY(read_configs(store, ids));
  if (configs.whole.size() == 1) return std::move(configs.whole.front());
  if (configs.whole.empty()) return base::fail(*std::move(configs.problem));
  Ids candidates;
  for (const FoundConfig& found : configs.whole) candidates.push_back(found.id);
  return several_configs(store, candidates);
}

Result<Ids> list_configs(store::Store& store) {
  Ids ids;
  for (const store::ObjectInfo& info : KURA_TRY(store.list(Kind::kConfig))) ids.push_back(info.id);
  std::ranges::sort(ids);
  return ids;
}

// Those of `ids` that this machine's state folder has.
Result<Ids> known_to_machine(const std::string& state_folder, const Ids& ids) {
  if (state_folder.empty()) return Ids{};
  Ids known = KURA_TRY(MachineState::known(state_folder));
  std::erase_if(known, [&](const store::ObjectId& id) { return !contains(ids, id); });
  return known;
}

}  // namespace

Result<std::vector<FoundConfig>> find_whole_configs(store::Store& store) {
  return KURA_TRY(read_configs(store, KURA_TRY(list_configs(store)))).whole;
}

Result<FoundConfig> find_config(store::Store& store, const std::string& state_folder,
                                const std::optional<store::ObjectId>& named) {
  const Ids ids = KURA_TRY(list_configs(store));
  if (ids.empty()) return no_config(store);
  if (named) {
    if (contains(ids, *named)) return read_config(store, *named);
    return base::fail(ErrorCode::kWrongKey,
                      fmt::format("{} is not the repository with the config {}", store.describe(), named->hex()),
                      "the key file is for another repository");
  }
  const Ids known = KURA_TRY(known_to_machine(state_folder, ids));
  if (known.size() > 1) return several_configs(store, known);
  if (known.size() == 1) return read_config(store, known.front());
  return only_whole_config(store, ids);
}

}  // namespace kura::archive
