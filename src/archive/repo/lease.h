// Leases: how a backup tells garbage collection that it is at work, without locks (docs/format.md, section 9).
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "archive/format/lease.h"
#include "archive/repo/repository.h"

namespace kura::archive {

inline constexpr std::int64_t kLeaseTerm = 30LL * 60 * 1'000'000'000;  // ns, from receipt by the store
inline constexpr std::chrono::milliseconds kLeaseRenewal = std::chrono::minutes(5);

// Held for the length of a job; a thread of its own renews it every few minutes. The destructor removes it.
class Lease {
 public:
  // `store` outlives the lease. A renewal that fails is tried again soon.
  static base::Result<std::unique_ptr<Lease>> take(store::Store& store, LeasePurpose purpose,
                                                   std::chrono::milliseconds renew_every = kLeaseRenewal);
  ~Lease();
  // Whether it was held without a gap: false, for good, when the store has lost it or a renewal came too late.
  base::Result<bool> still_held();
  std::int64_t start() const;

 private:
  struct State;
  explicit Lease(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct LiveLease {
  SessionId session{};
  LeasePurpose purpose = LeasePurpose::kBackup;
  std::int64_t start = 0;  // store's clock
};
// Those that hold at `now` (store's clock). Undecodable ones count as holding from their receipt; lapsed ones are
// removed when `remove_lapsed`.
base::Result<std::vector<LiveLease>> live_leases(store::Store& store, std::int64_t now, bool remove_lapsed);

}  // namespace kura::archive
