#include "store/s3_locks.h"

#include <algorithm>

#include "base/time.h"

namespace kura::store {
namespace {

constexpr std::chrono::seconds kMostBeyond = std::chrono::days(180);

std::int64_t after(std::chrono::seconds time) { return base::now_ns() + time.count() * base::kSecond; }

}  // namespace

std::optional<std::int64_t> S3Locks::until(Kind kind) const {
  if (!wanted() || !concerns(kind)) return std::nullopt;
  return after(kind == Kind::kSnapshot && !renewed_ ? time_ : time_ + std::min(time_ / 2, kMostBeyond));
}

bool S3Locks::suffices(std::int64_t until) const { return !wanted() || until >= after(time_); }

std::optional<std::int64_t> S3Locks::known(const ObjectId& id) const {
  const auto known = known_.lock();
  const auto found = known->find(id);
  return found == known->end() ? std::nullopt : std::optional(found->second);
}

}  // namespace kura::store
