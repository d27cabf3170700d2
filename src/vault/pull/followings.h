// Which vaults this one follows, by its own journal: where they are, and the key that their journals are signed with.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "store/vault/address.h"
#include "vault/journal/journal.h"

namespace kura::vault {

struct Following {
  std::string name;  // that it has here
  store::vault::Address address;
  crypto::PublicKey key{};
};

// Shared by threads.
class Followings {
 public:
  // `journal`, the vault's own, outlives it; nobody else writes these events into it.
  static base::Result<std::unique_ptr<Followings>> open(Journal& journal);

  // In place of one of the same name. Its key is its name's for good: kConflict for another one.
  base::Status add(const Following& following, std::int64_t now);
  // kNotFound.
  base::Status remove(const std::string& name, std::string_view why, std::int64_t now);
  // What a person has to look at, once for each text.
  base::Status alarm(const std::string& text, std::int64_t now);

  std::optional<Following> find(const std::string& name) const;
  std::vector<Following> all() const;  // by name

 private:
  explicit Followings(Journal& journal) : journal_(journal) {}
  void take(const Entry& entry) KURA_REQUIRES(mutex_);
  base::Status write(Event event, std::int64_t now) KURA_REQUIRES(mutex_);

  Journal& journal_;
  mutable base::Mutex mutex_;
  std::map<std::string, Following> known_ KURA_GUARDED_BY(mutex_);
  std::map<std::string, crypto::PublicKey> keys_ KURA_GUARDED_BY(mutex_);  // also of those not followed any more
  std::unordered_set<std::string> alarms_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::vault
