// What people decide about a repository.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/human.h"
#include "vault/holding/holding.h"
#include "vault/holding/limits.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;

}  // namespace

Status Holding::decide(Event event) {
  const base::MutexLock one_at_a_time(committing_);
  KURA_TRY(write(std::move(event)));
  return {};
}

// One that a newer version wrote and this one does not understand keeps everything.
void Holding::take_policy(const Event& event) {
  const auto policy = Policy::parse(event.text);
  policy_ = policy ? *policy : Policy{.keep = {}};
  space_->set_quota(name(), policy_.quota, policy_.customer);
}

void Holding::take_thaw(const Event& event) {
  frozen_ = false;
  if (event.number == 0) return;
  for (auto& [id, held] : snapshots_) held.suspicion.clear();
}

Status Holding::set_policy(const Policy& policy, const std::string& who) {
  return decide({.type = EventType::kPolicy, .who = who, .text = policy.text()});
}
Status Holding::freeze(const std::string& who, const std::string& why) {
  return decide({.type = EventType::kFreeze, .who = who, .text = why});
}
Status Holding::thaw(const std::string& who, const std::string& why, bool no_attack) {
  return decide({.type = EventType::kThaw, .who = who, .text = why, .number = no_attack ? 1U : 0U});
}
Status Holding::alarm(const std::string& who, const std::string& text) {
  return decide({.type = EventType::kAlarm, .who = who, .text = text});
}

Policy Holding::policy() const {
  const base::MutexLock lock(mutex_);
  return policy_;
}
bool Holding::is_frozen() const {
  const base::MutexLock lock(mutex_);
  return frozen_;
}

Result<std::size_t> Holding::set_barrier(std::int64_t since, const std::string& who, const std::string& why) {
  const base::MutexLock one_at_a_time(committing_);
  std::vector<HeldSnapshot> good = snapshots();
  std::erase_if(good, [&](const HeldSnapshot& held) { return held.received >= since || !held.suspicion.empty(); });
  Needs needs;
  const auto trusted = KURA_TRY(needed_by(good, needs));
  std::vector<ObjectId> barred;
  for (const store::ObjectInfo& pack : KURA_TRY(list(Kind::kPack))) {
    if (!trusted.contains(pack.id)) barred.push_back(pack.id);
  }
  for (std::size_t done = 0; done == 0 || done < barred.size(); done += kMostInEntry) {
    const auto begin = barred.begin() + static_cast<std::ptrdiff_t>(done);
    const auto count = static_cast<std::ptrdiff_t>(std::min(kMostInEntry, barred.size() - done));
    KURA_TRY(write({.type = EventType::kBarrier,
                    .who = who,
                    .text = why,
                    .kind = count == 0 ? Event{}.kind : Kind::kPack,
                    .objects = {begin, begin + count},
                    .from = since,
                    .until = now()}));
  }
  return barred.size();
}

Result<Receipt> Holding::request(std::vector<ObjectId> snapshots, const std::string& policy, const Signer& signer) {
  const base::MutexLock one_at_a_time(committing_);
  if (snapshots.empty() == policy.empty()) {
    return base::fail(ErrorCode::kUsage, "a request is for snapshots or for a policy");
  }
  if (snapshots.size() > kMostInEntry) {
    return base::fail(ErrorCode::kUsage,
                      fmt::format("a request is for at most {}", base::human_count(kMostInEntry, "snapshot")));
  }
  if (!policy.empty()) KURA_TRY(Policy::parse(policy));
  for (const ObjectId& id : snapshots) KURA_TRY(stat(Kind::kSnapshot, id));
  return write({.type = EventType::kDeleteRequest,
                .who = signer.who,
                .text = policy,
                .kind = snapshots.empty() ? Event{}.kind : Kind::kSnapshot,
                .objects = std::move(snapshots),
                .key = signer.key,
                .proof = signer.signature});
}

Status Holding::approve(std::uint64_t request, const Signer& signer) {
  const base::MutexLock one_at_a_time(committing_);
  {
    const base::MutexLock lock(mutex_);
    KURA_TRY(requests_.may_approve(request, signer.who, signer.key));
  }
  KURA_TRY(write({.type = EventType::kDeleteApproval,
                  .who = signer.who,
                  .key = signer.key,
                  .refers_to = request,
                  .proof = signer.signature}));
  return {};
}

Status Holding::cancel(std::uint64_t request, const std::string& who) {
  const base::MutexLock one_at_a_time(committing_);
  {
    const base::MutexLock lock(mutex_);
    KURA_TRY(requests_.find(request));
  }
  KURA_TRY(write({.type = EventType::kDeleteCancel, .who = who, .refers_to = request}));
  return {};
}

std::vector<Request> Holding::requests() const {
  const base::MutexLock lock(mutex_);
  return requests_.open();
}

Result<Request> Holding::request(std::uint64_t sequence) const {
  const base::MutexLock lock(mutex_);
  return requests_.find(sequence);
}

}  // namespace kura::vault
