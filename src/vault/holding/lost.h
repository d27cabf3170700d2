// Finds what ought to be in a repository and is in no list of its store: files that somebody removed while the vault
// was off. The journal names the config, the keys and the snapshots; the snapshots name indexes and packs.
//
//   LostSearch search(holding);
//   while (KURA_TRY(search.next())) {}         // what it finds is told to the holding
//
// Nothing is locked while it looks. When something goes meanwhile (garbage collection), what it has found may be
// needed no more: it then begins again with what is left.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "archive/format/snapshot.h"
#include "base/error.h"
#include "vault/holding/holding.h"

namespace kura::vault {

// Not shared between threads. Memory: one snapshot, 200 bytes for each snapshot that is here and a bit for each pack of
// each index. It reads each snapshot once.
class LostSearch {
 public:
  // `holding` outlives it.
  explicit LostSearch(Holding& holding);

  // Looks at the next snapshot or index. Bytes read; nothing when it is through. An error is one of the vault's own,
  // such as a journal that takes no more; what cannot be read is left to scrubbing, which tells of it.
  base::Result<std::optional<std::uint64_t>> next();

 private:
  void begin();
  std::uint64_t read_snapshot(const store::ObjectId& id);
  void look_for_packs(const store::ObjectId& index);
  base::Status tell();

  Holding& holding_;
  std::uint64_t removals_ = 0;           // in the holding, when it began
  std::vector<HeldSnapshot> snapshots_;  // still to be read
  std::vector<store::ObjectId> left_;    // indexes still to be looked into
  std::unordered_map<store::ObjectId, archive::NeededPacks, base::DigestHash> needs_;  // of each index, by all
  std::vector<store::ObjectId> lost_indexes_, lost_packs_;
  bool sees_all_ = true;  // else something could not be read that may need more
  bool is_through_ = false;
};

}  // namespace kura::vault
