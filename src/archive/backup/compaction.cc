#include "archive/backup/compaction.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "archive/backup/snapshot_lives.h"
#include "archive/repo/needs.h"

namespace kura::archive {
namespace {

// An object costs about as much as so many bytes: its request, its place in indexes and in every snapshot. Small packs
// are so brought together even when all of them is used.
constexpr double kObjectCost = 64U << 10;
// How much the benefit has to be above the cost: both are guesses. Of 1, 1.4 and 2, a year (bench/year.py) ends with
// the least space at 1.4.
constexpr double kMargin = 1.4;
// The usual limit is one part of so many of the source, or so many bytes if that is more: what a pack or two may hold,
// since else the first packs of a small source would stay for ever.
constexpr std::uint64_t kShareOfSource = 10;
constexpr std::uint64_t kLeastUsualLimit = 64U << 20;

using SeriesKey = std::pair<crypto::PublicKey, Series>;

}  // namespace

std::vector<std::size_t> choose_sparse(std::span<const PackState> packs, std::uint64_t limit) {
  struct Candidate {
    double worth;  // benefit for a unit of cost
    std::size_t number;
  };
  std::vector<Candidate> candidates;
  for (std::size_t number = 0; number < packs.size(); ++number) {
    const PackState& pack = packs[number];
    if (pack.used_here == 0 || pack.bytes == 0 || pack.wanted <= pack.held) continue;
    const double stored = static_cast<double>(pack.stored);
    const double live = stored * static_cast<double>(std::min(pack.used, pack.bytes)) / static_cast<double>(pack.bytes);
    const double benefit = (stored + kObjectCost - live) * static_cast<double>(pack.wanted - pack.held);
    const double cost = live * static_cast<double>(pack.held);
    if (benefit >= kMargin * cost) candidates.push_back({benefit / std::max(cost, 1.0), number});
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::pair(b.worth, a.number) < std::pair(a.worth, b.number);
  });
  std::vector<std::size_t> chosen;
  for (const Candidate& candidate : candidates) {
    const std::uint64_t bytes = packs[candidate.number].used_here;
    if (bytes > limit) continue;
    limit -= bytes;
    chosen.push_back(candidate.number);
  }
  return chosen;
}

std::string pack_uses_path(const MachineState& state, const Series& series) {
  return state.folder() + "/" + base::to_hex(series) + ".uses";
}

namespace {

// Gathers what there is to know before the rule is asked.
class Planner {
 public:
  Planner(const Repository& repository, const ChunkIndex& known, std::vector<StoredSnapshot> snapshots)
      : repository_(repository), known_(known), snapshots_(std::move(snapshots)) {
    for (std::size_t number = 0; number < known.packs().size(); ++number) {
      numbers_.emplace(known.packs()[number].id, number);
    }
  }

  // False: something cannot be read.
  base::Result<bool> look_at_snapshots(const Series& own);
  std::optional<PackUses> uses_of(const Series& series) const {
    return load_pack_uses(pack_uses_path(*repository_.machine_state(), series), repository_.config_id());
  }
  CompactionPlan plan(std::optional<std::uint64_t> limit, std::int64_t now) const;
  std::vector<PackUse> take_own_uses() { return std::move(own_uses_); }

 private:
  struct Use {
    std::uint64_t used = 0, used_here = 0, bytes = 0;
    std::int64_t since = 0;
  };
  void add_uses(const PackUses& uses, bool is_own);
  base::Result<bool> leave_alone(const Snapshot& snapshot, ClearIndexes& indexes);
  std::vector<std::int64_t> times_held(const SnapshotLives& lives, const std::vector<std::size_t>& packs) const;

  const Repository& repository_;
  const ChunkIndex& known_;
  std::unordered_map<store::ObjectId, std::size_t, base::DigestHash> numbers_;  // of the known packs
  std::vector<StoredSnapshot> snapshots_;
  std::vector<SeenSnapshot> seen_;  // the same
  std::size_t own_ = 0;             // number of the series that is backed up
  std::unordered_map<std::size_t, Use> uses_;
  std::unordered_map<std::size_t, bool> left_alone_;  // packs that others use, nobody here knows how much
  std::vector<PackUse> own_uses_;
};

void Planner::add_uses(const PackUses& uses, bool is_own) {
  for (const PackUse& use : uses.packs) {
    const auto number = numbers_.find(use.pack);
    if (number == numbers_.end()) continue;
    const auto [at, is_new] = uses_.try_emplace(number->second, Use{.bytes = use.bytes, .since = use.since});
    at->second.used += use.used;
    at->second.since = std::min(at->second.since, use.since);
    if (is_own) at->second.used_here = use.used;
  }
}

base::Result<bool> Planner::leave_alone(const Snapshot& snapshot, ClearIndexes& indexes) {
  const base::Status needs = for_each_need(snapshot, indexes, [&](const IndexedPack& pack) {
    if (const auto number = numbers_.find(pack.id); number != numbers_.end()) left_alone_[number->second] = true;
  });
  if (needs) return true;
  if (is_damage(needs.error())) return false;
  return base::fail(needs.error());
}

base::Result<bool> Planner::look_at_snapshots(const Series& own) {
  const crypto::PublicKey machine = repository_.machine()->public_key();
  std::map<SeriesKey, std::size_t> series;
  std::vector<const StoredSnapshot*> newest;
  own_ = series.emplace(SeriesKey(machine, own), 0).first->second;
  newest.push_back(nullptr);
  for (const StoredSnapshot& stored : snapshots_) {
    const auto [at, is_new] = series.emplace(SeriesKey(stored.snapshot.machine, stored.snapshot.series), newest.size());
    if (is_new) newest.push_back(nullptr);
    newest[at->second] = &stored;
    seen_.push_back({.series = at->second, .number = stored.snapshot.number, .received = stored.received});
  }
  ClearIndexes indexes(repository_);
  for (const auto& [key, number] : series) {
    const StoredSnapshot* const last = newest[number];
    const bool is_ours = key.first == machine;
    const std::optional<PackUses> uses = is_ours ? uses_of(key.second) : std::nullopt;
    if (uses && number == own_) own_uses_ = uses->packs;
    if (last == nullptr) continue;
    if (uses && uses->snapshot == last->id) {
      add_uses(*uses, number == own_);
    } else if (!KURA_TRY(leave_alone(last->snapshot, indexes))) {
      return false;
    }
  }
  return true;
}

// For each of the packs, until the last of the snapshots goes that may hold it: all that this machine began to make
// since its series first used it.
std::vector<std::int64_t> Planner::times_held(const SnapshotLives& lives, const std::vector<std::size_t>& packs) const {
  const crypto::PublicKey machine = repository_.machine()->public_key();
  std::vector<std::pair<std::int64_t, std::int64_t>> holders;  // when it was begun, how long it will stay
  for (std::size_t i = 0; i < snapshots_.size(); ++i) {
    const Snapshot& snapshot = snapshots_[i].snapshot;
    if (snapshot.machine == machine) holders.emplace_back(snapshot.started, lives.left(i));
  }
  std::ranges::sort(holders);
  for (std::size_t i = holders.size(); i-- > 1;) {
    holders[i - 1].second = std::max(holders[i - 1].second, holders[i].second);
  }
  std::vector<std::int64_t> held;
  for (const std::size_t pack : packs) {
    const auto first = std::ranges::lower_bound(holders, std::pair(uses_.at(pack).since, std::int64_t{0}));
    held.push_back(first == holders.end() ? 0 : first->second);
  }
  return held;
}

CompactionPlan Planner::plan(std::optional<std::uint64_t> limit, std::int64_t now) const {
  CompactionPlan plan;
  plan.roles.resize(known_.packs().size());
  for (const auto& [number, left_alone] : left_alone_) plan.roles[number] = PackRole::kInUse;
  std::vector<std::size_t> numbers;
  std::uint64_t source = 0;
  for (const auto& [number, use] : uses_) {
    plan.roles[number] = PackRole::kInUse;
    source += use.used_here;
    if (!left_alone_.contains(number)) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  const SnapshotLives lives(seen_, now);
  const std::vector<std::int64_t> held = times_held(lives, numbers);
  std::vector<PackState> packs;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Use& use = uses_.at(numbers[i]);
    // What has been used for long will be for long.
    const std::int64_t used_for = use.since == 0 ? 0 : std::max<std::int64_t>(now - use.since, 0);
    packs.push_back({.stored = known_.packs()[numbers[i]].size,
                     .bytes = use.bytes,
                     .used = use.used,
                     .used_here = use.used_here,
                     .held = held[i],
                     .wanted = std::max(lives.of_next(own_), used_for)});
  }
  plan.limit = limit.value_or(std::max(source / kShareOfSource, kLeastUsualLimit));
  for (const std::size_t i : choose_sparse(packs, plan.limit)) plan.roles[numbers[i]] = PackRole::kSparse;
  return plan;
}

}  // namespace

base::Result<Compaction> Compaction::prepare(const Repository& repository, const ChunkIndex& known,
                                             std::vector<StoredSnapshot> snapshots, const Series& series,
                                             std::optional<std::uint64_t> limit, std::int64_t now) {
  Planner planner(repository, known, std::move(snapshots));
  const bool all_told = KURA_TRY(planner.look_at_snapshots(series));
  Compaction compaction;
  compaction.plan_ = planner.plan(all_told ? limit : 0, now);
  compaction.before_ = planner.take_own_uses();
  std::ranges::sort(compaction.before_, {}, &PackUse::pack);
  return compaction;
}

std::int64_t Compaction::since(const store::ObjectId& pack) const {
  const auto at = std::ranges::lower_bound(before_, pack, {}, &PackUse::pack);
  return at != before_.end() && at->pack == pack ? at->since : 0;
}

}  // namespace kura::archive
