// How long snapshots will probably stay: by it compaction (compaction.h) weighs what a second copy costs.
//
// Nobody tells the machine by which rule snapshots are forgotten, but what is still there shows it. Rules keep the
// first snapshot of an hour, a day, a week, a month, a year (upkeep/retention.h), so snapshots are ranked by the
// longest of these that they are the first of in their series. One stays about as long as the oldest of its rank, or of
// a rank below, has stayed. While no snapshot of a rank was seen to go, it is twice as long as the oldest of all has
// stayed: what is met at some moment of its life is, on average, in the middle of it.
//
// It is a guess. Where it is wrong, space is won later or less of it, and nothing else depends on it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kura::archive {

// A snapshot that is there.
struct SeenSnapshot {
  std::size_t series = 0;     // equal for backups of the same thing by the same machine
  std::uint64_t number = 0;   // in its machine's chain
  std::int64_t received = 0;  // ns since 1970
};

// Pure. Not shared between threads.
class SnapshotLives {
 public:
  // `snapshots` in the order received; `now` is about when the next one will be received, ns since 1970.
  SnapshotLives(std::span<const SeenSnapshot> snapshots, std::int64_t now);

  // How long snapshot `at` of them will stay from now on, ns, more than zero. One that has outlived its rank is
  // expected to go on for as long again.
  std::int64_t left(std::size_t at) const { return left_[at]; }
  // How long the next snapshot of a series will stay, ns.
  std::int64_t of_next(std::size_t series) const;

 private:
  // The longest time that a snapshot is the first of.
  enum Rank : std::uint8_t { kNone, kHour, kDay, kWeek, kMonth, kYear, kRanks };
  static std::int64_t bucket(std::uint8_t rank, std::int64_t time);
  static Rank rank_after(std::int64_t before, std::int64_t time);
  void learn(std::span<const SeenSnapshot> snapshots, const std::vector<Rank>& ranks);

  const std::int64_t now_;
  std::vector<std::int64_t> newest_;  // by series: when the newest was received; kNever where there is none
  std::array<std::int64_t, kRanks> life_{};
  std::vector<std::int64_t> left_;
};

}  // namespace kura::archive
