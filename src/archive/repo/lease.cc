#include "archive/repo/lease.h"

#include <algorithm>
#include <thread>

#include "archive/format/limits.h"
#include "base/mutex.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace kura::archive {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;

struct Lease::State {
  State(store::Store& at, LeasePurpose purpose, std::chrono::milliseconds every) : store(at), renew_every(every) {
    object.purpose = purpose;
    crypto::fill_random(object.session);
  }

  store::Store& store;
  const std::chrono::milliseconds renew_every;
  std::thread renewer;

  base::Mutex mutex;  // held while the store is asked
  LeaseObject object KURA_GUARDED_BY(mutex);
  store::ObjectId id KURA_GUARDED_BY(mutex);
  std::int64_t start KURA_GUARDED_BY(mutex) = 0;
  std::int64_t received KURA_GUARDED_BY(mutex) = 0;
  bool lost KURA_GUARDED_BY(mutex) = false;
  bool ending KURA_GUARDED_BY(mutex) = false;
  base::CondVar ended;

  Status put() KURA_REQUIRES(mutex);
  Status put_first();
  Status renew() KURA_REQUIRES(mutex);
  bool ended_within(std::chrono::milliseconds time) KURA_REQUIRES(mutex);
  void run();
  void end();
};

// Puts the lease as it is now.
Status Lease::State::put() {
  const base::Bytes bytes = object.encode();
  const store::ObjectId next_id = crypto::sha256(bytes);
  KURA_TRY(store.put(Kind::kLease, next_id, bytes));
  const store::ObjectInfo info = KURA_TRY(store.stat(Kind::kLease, next_id));
  id = next_id;
  received = info.received;
  return {};
}

// First puts the next one, then removes the one before, so that there is no moment without.
Status Lease::State::renew() {
  const store::ObjectId before = id;
  const std::int64_t received_before = received;
  const auto still_there = store.stat(Kind::kLease, before);
  if (!still_there && still_there.error().code() != ErrorCode::kNotFound) return std::unexpected(still_there.error());

  // Counted also when it fails: a store may have taken it all the same, and would not receive the same bytes anew.
  ++object.renewals;
  object.start = start;
  KURA_TRY(put());
  if (!still_there || received - received_before > kLeaseTerm) lost = true;
  return store.remove(Kind::kLease, before);
}

bool Lease::State::ended_within(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!ending && ended.wait_until(mutex, until)) {
  }
  return ending;
}

void Lease::State::run() {
  // A failure may pass; a term has room for several more tries.
  const auto retry_every = renew_every / 10;
  const base::MutexLock lock(mutex);
  auto wait = renew_every;
  while (!ended_within(wait)) wait = renew() ? renew_every : retry_every;
}

void Lease::State::end() {
  {
    const base::MutexLock lock(mutex);
    ending = true;
  }
  ended.notify_all();
  renewer.join();
  const base::MutexLock lock(mutex);
  // When this fails, the lease lapses by itself.
  static_cast<void>(store.remove(Kind::kLease, id));
}

Status Lease::State::put_first() {
  const base::MutexLock lock(mutex);
  KURA_TRY(put());
  start = received;
  return {};
}

Lease::Lease(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->renewer = std::thread([&state = *state_] { state.run(); });
}

Result<std::unique_ptr<Lease>> Lease::take(store::Store& store, LeasePurpose purpose,
                                           std::chrono::milliseconds renew_every) {
  auto state = std::make_unique<State>(store, purpose, renew_every);
  KURA_TRY_AS(state->put_first(), "cannot tell the repository that work begins");
  return std::unique_ptr<Lease>(new Lease(std::move(state)));
}

Lease::~Lease() { state_->end(); }

Result<bool> Lease::still_held() {
  const base::MutexLock lock(state_->mutex);
  if (state_->lost) return false;
  const auto there = state_->store.stat(Kind::kLease, state_->id);
  if (!there && there.error().code() != ErrorCode::kNotFound) return std::unexpected(there.error());
  const std::int64_t now = KURA_TRY(state_->store.now());
  // A lease that was away for a moment was away: what happened meanwhile is not known.
  // Others may read a clock that is ahead of the one we read, and take it for lapsed sooner.
  if (!there || now - state_->received > kLeaseTerm - state_->store.clock_error()) state_->lost = true;
  return !state_->lost;
}

std::int64_t Lease::start() const {
  const base::MutexLock lock(state_->mutex);
  return state_->start;
}

namespace {

// nullopt when it is gone meanwhile.
Result<std::optional<LiveLease>> read_lease(store::Store& store, const store::ObjectInfo& info) {
  const auto bytes = store.get(Kind::kLease, info.id, kLeaseLimit);
  if (!bytes && bytes.error().code() == ErrorCode::kNotFound) return std::nullopt;
  if (!bytes && bytes.error().code() != ErrorCode::kDamaged) return std::unexpected(bytes.error());
  LiveLease lease{.session = {}, .purpose = LeasePurpose::kBackup, .start = info.received};
  const auto object = bytes ? LeaseObject::decode(*bytes) : Result<LeaseObject>(std::unexpected(bytes.error()));
  if (!object) {
    // Somebody's, who can be of a newer version: they have a session each.
    std::ranges::copy(info.id.span().first(lease.session.size()), lease.session.begin());
    return lease;
  }
  lease.session = object->session;
  lease.purpose = object->purpose;
  if (object->start != 0) lease.start = std::min(object->start, info.received);
  return lease;
}

void add(std::vector<LiveLease>& leases, const LiveLease& lease) {
  const auto same = std::ranges::find(leases, lease.session, &LiveLease::session);
  if (same == leases.end()) {
    leases.push_back(lease);
  } else {
    same->start = std::min(same->start, lease.start);  // one that is just being renewed
  }
}

}  // namespace

Result<std::vector<LiveLease>> live_leases(store::Store& store, std::int64_t now, bool remove_lapsed) {
  std::vector<LiveLease> leases;
  for (const store::ObjectInfo& info : KURA_TRY(store.list(Kind::kLease))) {
    if (now - info.received <= kLeaseTerm) {
      if (const auto lease = KURA_TRY(read_lease(store, info))) add(leases, *lease);
    } else if (remove_lapsed) {
      KURA_TRY(store.remove(Kind::kLease, info.id));
    }
  }
  return leases;
}

}  // namespace kura::archive
