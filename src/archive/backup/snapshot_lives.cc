#include "archive/backup/snapshot_lives.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "archive/repo/calendar.h"
#include "base/time.h"

namespace kura::archive {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLeast = 3600 * base::kSecond;  // that any snapshot is expected to stay
// Beyond all that a rule can mean, and far enough from the end of the numbers to be doubled and added.
constexpr std::int64_t kMost = 100LL * 366 * 24 * 3600 * base::kSecond / 4;

// From `a` to `b`; clocks that were set back make no time negative.
std::int64_t time_between(std::int64_t a, std::int64_t b) {
  std::int64_t result;
  if (__builtin_sub_overflow(b, a, &result)) return b > a ? kMost : 0;
  return std::clamp<std::int64_t>(result, 0, kMost);
}

}  // namespace

std::int64_t SnapshotLives::bucket(std::uint8_t rank, std::int64_t time) {
  constexpr std::array kBuckets = {hour_of, day_of, week_of, month_of, year_of};
  return kBuckets[rank - kHour](time);
}

SnapshotLives::Rank SnapshotLives::rank_after(std::int64_t before, std::int64_t time) {
  for (std::uint8_t rank = kYear; rank > kNone; --rank) {
    if (before == kNever || bucket(rank, before) != bucket(rank, time)) return static_cast<Rank>(rank);
  }
  return kNone;
}

SnapshotLives::SnapshotLives(std::span<const SeenSnapshot> snapshots, std::int64_t now)
    : now_(snapshots.empty() ? now : std::max(now, snapshots.back().received)) {
  std::vector<Rank> ranks;
  for (const SeenSnapshot& snapshot : snapshots) {
    if (newest_.size() <= snapshot.series) newest_.resize(snapshot.series + 1, kNever);
    ranks.push_back(rank_after(newest_[snapshot.series], snapshot.received));
    newest_[snapshot.series] = snapshot.received;
  }
  learn(snapshots, ranks);
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const std::int64_t age = time_between(snapshots[i].received, now_);
    const std::int64_t life = life_[ranks[i]];
    left_.push_back(std::max(life >= age ? life - age : age, kLeast));
  }
}

void SnapshotLives::learn(std::span<const SeenSnapshot> snapshots, const std::vector<Rank>& ranks) {
  // The newest of a series stays whatever the rule says, so it tells nothing.
  std::array<std::optional<std::int64_t>, kRanks> oldest_of_rank;
  const SeenSnapshot* oldest = nullptr;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    if (snapshots[i].received == newest_[snapshots[i].series]) continue;
    if (oldest == nullptr) oldest = &snapshots[i];
    if (!oldest_of_rank[ranks[i]]) oldest_of_rank[ranks[i]] = snapshots[i].received;
  }
  if (oldest == nullptr) return;
  const std::int64_t twice = 2 * time_between(oldest->received, now_);
  std::int64_t life = 0;
  for (std::uint8_t rank = kNone; rank < kRanks; ++rank) {
    const std::int64_t first = oldest_of_rank[rank].value_or(now_);
    life = std::max(life, time_between(first, now_));
    // A whole bucket of which nothing is left, after the oldest of all: its first snapshot has gone.
    const bool some_went =
        rank == kNone || oldest->number > 1 || bucket(rank, first) - bucket(rank, oldest->received) >= 2;
    life_[rank] = some_went ? life : std::max(life, twice);
  }
}

std::int64_t SnapshotLives::of_next(std::size_t series) const {
  return life_[rank_after(series < newest_.size() ? newest_[series] : kNever, now_)];
}

}  // namespace kura::archive
