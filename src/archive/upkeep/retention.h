// Which snapshots stay. The rules hold against a client that lies about time and floods the repository:
//
// - Time is when the *store* received a snapshot. A bucket (an hour, a day, ...) keeps the snapshot that came first;
//   what comes later into the same bucket never displaces it, whatever time it claims.
// - Where the machine's own time disagrees with the store's (a copied repository, a clock set wrong, a forgery), nobody can
//   tell a flood from history: within one bucket of received time, the first of every bucket of claimed time stays. In
//   doubt nothing is lost; the doubt ends when the bucket of received time ages out.
// - The newest snapshot of a series always stays.
//
// Buckets are in UTC. A series is a machine's backups of the same host and paths; each has its own buckets.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "archive/repo/repository.h"

namespace kura::archive {

struct RetentionPolicy {
  unsigned hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0;  // number of buckets that hold a snapshot
  std::int64_t within = 0;                                              // ns: everything received in this time
  bool empty() const { return !hourly && !daily && !weekly && !monthly && !yearly && !within; }
};

struct KeepDecision {
  store::ObjectId id;
  bool keep = false;
  std::vector<std::string> reasons;  // "daily 2026-11-24", "newest", "within 30d", "daily 2026-11-24, claims 2026-11-20"
};

// `snapshots` in the order received; `now` by the store's clock. Pure.
std::vector<KeepDecision> decide(const std::vector<StoredSnapshot>& snapshots, const RetentionPolicy& policy,
                                 std::int64_t now);

}  // namespace kura::archive
