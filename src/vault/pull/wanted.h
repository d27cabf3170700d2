// What is still to be fetched, as a followed vault's journal says it: what came in there and was not let go again, and
// is not known here. Only so much of it at a time, however long the journal is.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "store/object.h"
#include "vault/journal/entry.h"

namespace kura::vault {

struct WantedObject {
  store::Kind kind = store::Kind::kConfig;  // config or key; snapshot for a commit
  store::ObjectId id;
  std::uint64_t size = 0;  // bytes, as the journal says
};

struct Wanted {
  std::vector<WantedObject> objects;  // config first, then keys
  std::vector<WantedObject> commits;  // in the order received there
  bool is_all = true;                 // else there are more behind these

  bool empty() const { return objects.empty() && commits.empty(); }
};

// Fed with a whole journal, entry by entry. Not shared between threads.
class WantedScan {
 public:
  static constexpr std::size_t kMostObjects = 300;

  // `is_settled`: whether an object needs no fetching (any more, or now).
  WantedScan(std::function<bool(store::Kind, const store::ObjectId&)> is_settled, std::size_t most_commits);
  void take(const Entry& entry);
  Wanted finish() &&;

 private:
  void add(store::Kind kind, const store::ObjectId& id, std::uint64_t size);

  const std::function<bool(store::Kind, const store::ObjectId&)> is_settled_;
  const std::size_t most_commits_;
  Wanted wanted_;
};

}  // namespace kura::vault
