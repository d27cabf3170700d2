// What parity should cover and what it does, and what is to become of each group.
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <vector>

#include "archive/parity/inventory.h"
#include "archive/parity/object_name.h"
#include "archive/repo/needs.h"

namespace kura::archive {

struct ParitySurvey {
  ParityInventory parity;
  std::map<ObjectName, store::ObjectInfo> there;  // what is to be covered
  Needs needs;                                    // of all snapshots
  std::int64_t others_since = 0;  // what came since may be a running backup's, which covers it itself; store's clock
};
// kDamaged when nobody can tell what the snapshots need. `may_write`: else it does without the store's clock where it
// has none to ask.
base::Result<ParitySurvey> survey_parity(const Repository& repository, bool may_write, const std::stop_token& stop);

enum class GroupFate : std::uint8_t {
  kKept,       // all is well with it
  kWounded,    // something in it has to be repaired first
  kDissolved,  // objects in it are gone for good, or shards are
  kPoor,       // nothing is wrong with it, but its shards are long for what they cover
};
// As far as lists and sizes tell. `damaged`: shards that are of no use.
GroupFate judge_group(const ParitySurvey& survey, const StoredGroup& group, const ParityPolicy& policy,
                      const std::vector<store::ObjectId>& damaged);

// Groups of small objects have a single column (group_shape.h).
inline bool is_of_small(const ParityGroup& group) { return group.columns.front().front().kind != store::Kind::kPack; }

}  // namespace kura::archive
