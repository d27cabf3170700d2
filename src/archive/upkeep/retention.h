// Which snapshots stay. The rules hold against a client that lies about time and floods the repository:
//
// - Time is when the *store* received a snapshot. A bucket (an hour, a day, ...) keeps the snapshot that came first;
//   what comes later never displaces it, whatever time it claims.
// - The machine's own time (the start of the backup) is believed only as far as it may honestly lag behind receipt, by
//   the length of a backup: then the snapshot counts by receipt, so a nightly backup that straddles midnight does not
//   keep two a day for ever. Any other time (a copied repository, a clock set wrong, a forgery) puts the snapshot in
//   doubt: nobody can tell a flood from history. Within one bucket of received time, the first of every bucket of
//   claimed time stays. In doubt nothing is lost; the doubt ends when the bucket of received time ages out.
// - The newest snapshot of a series always stays.
//
// The rule in full, for each series and for each kind of bucket with n > 0:
//   time(s)  = received(s)  if claimed(s) is between received(s) - lag and received(s) + lead, else claimed(s)
//   kept     = of the n latest buckets of received time that hold a snapshot: for every bucket of time(s) in it, the
//              first received
//            lag    lead
//   hourly   30 min 15 min
//   daily    12 h   1 h      lag + lead is less than a bucket, so snapshots that claim to be a bucket or more apart,
//   others   26 h   1 h      and not to be from the future, are never taken for one another
// A long backup is in doubt too, which costs at most a second snapshot in its bucket.
//
// Buckets are in UTC; weeks begin on Monday (ISO 8601). A series is a machine's backups of the same host and paths;
// each has its own buckets. A policy without any rule keeps everything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "archive/repo/repository.h"

namespace kura::archive {

struct RetentionPolicy {
  unsigned hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0;  // number of buckets that hold a snapshot
  std::int64_t within = 0;                                              // ns: everything received in this time
  bool empty() const { return !hourly && !daily && !weekly && !monthly && !yearly && within <= 0; }
};

struct KeepDecision {
  store::ObjectId id;
  bool keep = false;
  std::vector<std::string>
      reasons;  // "daily 2026-11-24", "newest", "within 30d", "daily 2026-11-24, claims 2026-11-20"
};

// One decision a snapshot, in the order of `snapshots`, which is the order received; `now` by the store's clock. Pure.
std::vector<KeepDecision> decide(const std::vector<StoredSnapshot>& snapshots, const RetentionPolicy& policy,
                                 std::int64_t now);

}  // namespace kura::archive
