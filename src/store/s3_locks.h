// Object Lock: until when objects are to be locked, and what is known of that.
//
// With the time T in the address, all that a snapshot needs is locked for T at least when the snapshot appears. To move
// each lock with each snapshot would be a request an object and day. So locks are made longer than T by a half of it
// (half a year at most), and are moved only when less than T is left: each object costs two requests in that time, and
// what nobody needs any more goes so much later. Snapshots themselves are locked for T: nothing else needs them.
// A vault moves the locks of all that it keeps again and again, so there they are locked as everything else.
//
// What this run has put or looked at is remembered here; what earlier runs knew, their callers may tell (Lock::until).
// A remembered end can be believed: locks in compliance mode become only longer.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/bytes.h"
#include "base/guarded.h"
#include "store/object.h"

namespace kura::store {

// Shared by threads.
class S3Locks {
 public:
  // 0: nothing is locked. `renewed`: the locks of snapshots are extended too.
  explicit S3Locks(std::chrono::seconds time, bool renewed = false) : time_(time), renewed_(renewed) {}

  bool wanted() const { return time_.count() != 0; }
  // Leases and condemned lists must be able to go.
  static bool concerns(Kind kind) { return kind != Kind::kLease && kind != Kind::kCondemned && kind != Kind::kParity; }

  // Until when an object that is put or locked now is to be locked, ns since 1970; nullopt when it is not to be.
  std::optional<std::int64_t> until(Kind kind) const;
  // Whether a lock that ends then holds long enough, as of now.
  bool suffices(std::int64_t until) const;

  void remember(const ObjectId& id, std::int64_t until) { known_.lock()->insert_or_assign(id, until); }
  std::optional<std::int64_t> known(const ObjectId& id) const;

 private:
  const std::chrono::seconds time_;
  const bool renewed_;
  base::Guarded<std::unordered_map<ObjectId, std::int64_t, base::DigestHash>> known_;
};

}  // namespace kura::store
