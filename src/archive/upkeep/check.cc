#include "archive/upkeep/check.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <ranges>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "archive/repo/chunk_index.h"
#include "archive/repo/lease.h"
#include "archive/repo/needs.h"
#include "archive/upkeep/check_findings.h"
#include "archive/upkeep/check_packs.h"
#include "archive/upkeep/check_parity.h"
#include "archive/upkeep/check_small_objects.h"
#include "archive/upkeep/check_trees.h"
#include "base/parallel.h"

namespace kura::archive {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;

namespace {

class Checker {
 public:
  Checker(const Repository& repository, const CheckOptions& options, base::Progress& progress, CheckFindings& findings,
          const std::stop_token& stop)
      : repository_(repository),
        store_(repository.store()),
        options_(options),
        threads_(base::thread_count(options.threads)),
        progress_(progress),
        findings_(findings),
        stop_(stop),
        clear_(repository) {}

  Result<CheckSummary> run();

 private:
  Status check_snapshots();
  void check_chains();
  Status check_indexes();
  Status check_index(const ObjectInfo& info);
  Status compare_with_footers(const ObjectId& id, const Index& index);
  Status add_unlisted_packs();
  Status read_needed();
  Status check_needs();
  std::vector<ObjectInfo> all_packs() const {
    const auto all = std::views::values(packs_);
    return {all.begin(), all.end()};
  }
  Status check_pack_bytes();
  void tell_bad_packs(const Losses& losses);
  void tell_missing_pack(const ObjectId& id, std::vector<ObjectId> users, const Losses& losses);
  struct ChunkCount {
    std::uint64_t all = 0, lost = 0;  // lost: in no good pack
  };
  std::unordered_map<ObjectId, ChunkCount, base::DigestHash> count_chunks_of_bad_packs() const;

  Error missing(Kind kind, const ObjectId& id) const;
  // The snapshots that need the object, but for those that were forgotten since.
  std::vector<ObjectId> users_of_pack(const ObjectId& pack);
  std::vector<ObjectId> users_of_index(const ObjectId& index);
  bool is_forgotten(const ObjectId& snapshot);
  void add_bad_pack(const ObjectId& id, Error error);

  const Repository& repository_;
  store::Store& store_;
  const CheckOptions& options_;
  const unsigned threads_;
  base::Progress& progress_;
  CheckFindings& findings_;
  const std::stop_token& stop_;

  ClearIndexes clear_;
  std::unordered_map<ObjectId, ObjectInfo, base::DigestHash> packs_, indexes_;
  std::vector<StoredSnapshot> snapshots_;
  ObjectIdSet listed_packs_;                                              // that some index lists
  ObjectIdSet bad_indexes_;                                               // found already
  std::unordered_map<ObjectId, std::uint64_t, base::DigestHash> needed_;  // packs that snapshots name, and their sizes
  ObjectIdSet bad_packs_;
  std::vector<std::pair<ObjectId, Error>> bad_in_order_;  // the same: what is wrong with each; kNotFound is missing
  std::unordered_map<ObjectId, ChunkCount, base::DigestHash> bad_chunks_;  // where it is known and some are missing
  ChunkIndex chunks_;  // with the catalog key: of the packs that are there, and of needed ones that are missing
  CheckSummary summary_;
};

Error Checker::missing(Kind kind, const ObjectId& id) const {
  return Error(ErrorCode::kDamaged, fmt::format("{} {} is missing in {}", name_of(kind), id.hex(), store_.describe()),
               "copy it back from another copy of the repository");
}

bool Checker::is_forgotten(const ObjectId& snapshot) {
  const auto there = store_.stat(Kind::kSnapshot, snapshot);
  return !there && there.error().code() == ErrorCode::kNotFound;
}

std::vector<ObjectId> Checker::users_of_pack(const ObjectId& pack) {
  std::vector<ObjectId> users;
  for (const StoredSnapshot& stored : snapshots_) {
    const bool uses = std::ranges::any_of(stored.snapshot.needs, [&](const NeededPacks& needed) {
      const auto packs = clear_.packs(needed.index);
      if (!packs) return false;  // what an unreadable index would say is not known
      for (std::size_t i = 0; i < (*packs)->size(); ++i) {
        if ((**packs)[i].id == pack && needed.has(i)) return true;
      }
      return false;
    });
    if (uses && !is_forgotten(stored.id)) users.push_back(stored.id);
  }
  return users;
}

std::vector<ObjectId> Checker::users_of_index(const ObjectId& index) {
  std::vector<ObjectId> users;
  for (const StoredSnapshot& stored : snapshots_) {
    const auto& needs = stored.snapshot.needs;
    const bool uses = std::ranges::find(needs, index, &NeededPacks::index) != needs.end();
    if (uses && !is_forgotten(stored.id)) users.push_back(stored.id);
  }
  return users;
}

void Checker::add_bad_pack(const ObjectId& id, Error error) {
  if (bad_packs_.insert(id).second) bad_in_order_.emplace_back(id, std::move(error));
}

Status Checker::check_snapshots() {
  SnapshotList list = KURA_TRY(repository_.snapshots(Repository::Proof::kAnew));
  summary_.snapshots = list.snapshots.size() + list.damaged.size();
  summary_.objects += summary_.snapshots;
  for (DamagedObject& at : list.damaged) {
    if (!is_finding(store_, at.error)) return base::fail(std::move(at.error));
    findings_.add(at.kind, at.id, std::move(at.error), {at.id});
  }
  snapshots_ = std::move(list.snapshots);
  check_chains();
  return {};
}

// A machine numbers its snapshots and names the one before. Forgotten ones leave gaps; what is left must fit.
void Checker::check_chains() {
  std::map<crypto::PublicKey, std::map<std::uint64_t, const StoredSnapshot*>> machines;
  for (const StoredSnapshot& stored : snapshots_) {
    const auto [place, is_new] = machines[stored.snapshot.machine].emplace(stored.snapshot.number, &stored);
    if (is_new) continue;
    const ObjectId& other = place->second->id;
    findings_.add(Kind::kSnapshot, stored.id,
                  Error(ErrorCode::kDamaged,
                        fmt::format("snapshots {} and {} of one machine have the same number {}: its history forks",
                                    other.hex(), stored.id.hex(), stored.snapshot.number),
                        "the machine was rolled back, or somebody else uses its key; if you know of no roll-back, "
                        "give it a new key"),
                  {other, stored.id});
  }
  for (const auto& [machine, chain] : machines) {
    const StoredSnapshot* before = nullptr;
    for (const auto& [number, stored] : chain) {
      if (before != nullptr && before->snapshot.number + 1 == number && stored->snapshot.before != before->id) {
        findings_.add(Kind::kSnapshot, stored->id,
                      Error(ErrorCode::kDamaged,
                            fmt::format("snapshot {} does not follow snapshot {}, which has the number before",
                                        stored->id.hex(), before->id.hex())),
                      {before->id, stored->id});
      }
      before = stored;
    }
  }
}

Status Checker::check_indexes() {
  for (const ObjectInfo& info : KURA_TRY(store_.list(Kind::kIndex))) indexes_.emplace(info.id, info);
  summary_.indexes = indexes_.size();
  summary_.objects += indexes_.size();
  const auto unordered = std::views::values(indexes_);
  std::vector<ObjectInfo> in_order(unordered.begin(), unordered.end());
  std::ranges::sort(in_order, {}, [](const ObjectInfo& info) { return std::pair(info.received, info.id); });
  for (const ObjectInfo& info : in_order) {
    KURA_TRY(check_not_stopped(stop_));
    KURA_TRY(check_index(info));
  }
  return {};
}

Status Checker::check_index(const ObjectInfo& info) {
  const Result<Index> index = repository_.index(info.id);
  summary_.bytes_read += info.size;
  if (!index) {
    if (!is_finding(store_, index.error())) return base::fail(index.error());
    std::vector<ObjectId> users = users_of_index(info.id);
    if (index.error().code() == ErrorCode::kNotFound && users.empty()) return {};
    bad_indexes_.insert(info.id);
    findings_.add(Kind::kIndex, info.id, index.error(), std::move(users));
    return {};
  }
  for (const IndexedPack& pack : index->packs) listed_packs_.insert(pack.id);
  if (repository_.write_secrets() == nullptr) return {};
  KURA_TRY(compare_with_footers(info.id, *index));
  chunks_.add(info.id, *index, [&](const ObjectId& pack) { return !packs_.contains(pack) && !needed_.contains(pack); });
  return {};
}

// A pack whose footer cannot be read is told when the packs themselves are read: here the index is judged.
Status Checker::compare_with_footers(const ObjectId& id, const Index& index) {
  std::mutex mutex;
  std::optional<ObjectId> differs;
  KURA_TRY(base::each_on_threads(index.packs.size(), threads_, [&](std::size_t i) -> Status {
    KURA_TRY(check_not_stopped(stop_));
    const IndexedPack& pack = index.packs[i];
    const auto there = packs_.find(pack.id);
    if (there == packs_.end() || there->second.size != pack.size) return {};
    const Result<PackRecord> record = read_footer(repository_, there->second);
    if (!record && !is_finding(store_, record.error())) return base::fail(record.error());
    const std::lock_guard lock(mutex);
    if (record && *record != pack.record) differs = pack.id;
    return {};
  }));
  if (differs) {
    findings_.add(Kind::kIndex, id,
                  Error(ErrorCode::kDamaged, fmt::format("index {} says something else of pack {} than its own footer",
                                                         id.hex(), differs->hex())),
                  users_of_index(id));
  }
  return {};
}

// Packs that a lost index listed, and those that an interrupted backup left.
Status Checker::add_unlisted_packs() {
  for (const auto& [id, info] : packs_) {
    if (listed_packs_.contains(id)) continue;
    ++summary_.orphan_packs;
    if (repository_.write_secrets() == nullptr) continue;
    const Result<PackRecord> record = read_footer(repository_, info);
    if (record) chunks_.add_pack(id, info.size, *record);
    if (!record && !is_finding(store_, record.error())) return base::fail(record.error());
  }
  chunks_.finish(ChunkIndex::LookUps::kMost);
  return {};
}

// As far as indexes tell: what is wrong with them is told later.
Status Checker::read_needed() {
  for (const StoredSnapshot& stored : snapshots_) {
    KURA_TRY(check_not_stopped(stop_));
    for (const NeededPacks& at : stored.snapshot.needs) {
      const auto packs = clear_.packs(at.index);
      if (!packs && !is_finding(store_, packs.error())) return base::fail(packs.error());
      if (!packs) continue;
      for (std::size_t i = 0; i < (*packs)->size(); ++i) {
        if (at.has(i)) needed_.emplace((**packs)[i].id, (**packs)[i].size);
      }
    }
  }
  return {};
}

Status Checker::check_needs() {
  ObjectIdSet missing_indexes;
  for (const StoredSnapshot& stored : snapshots_) {
    for (const NeededPacks& at : stored.snapshot.needs) {
      const auto packs = clear_.packs(at.index);
      if (!packs && !is_finding(store_, packs.error())) return base::fail(packs.error());
      if (!packs) {
        if (!bad_indexes_.contains(at.index) && !is_forgotten(stored.id)) missing_indexes.insert(at.index);
        continue;
      }
      if (at.fits((*packs)->size())) continue;
      findings_.add(Kind::kSnapshot, stored.id,
                    Error(ErrorCode::kDamaged, fmt::format("snapshot {} needs packs that index {} does not list",
                                                           stored.id.hex(), at.index.hex())),
                    {stored.id});
    }
  }
  for (const ObjectId& id : missing_indexes) {
    findings_.add(Kind::kIndex, id, missing(Kind::kIndex, id), users_of_index(id));
  }
  for (const auto& [id, size] : needed_) {
    const auto there = packs_.find(id);
    if (there == packs_.end()) {
      // A backup may have put it since the packs were listed.
      if (!store_.stat(Kind::kPack, id)) add_bad_pack(id, Error(ErrorCode::kNotFound, ""));
    } else if (there->second.size != size) {
      add_bad_pack(id, Error(ErrorCode::kDamaged,
                             fmt::format("pack {} in {} has {} bytes and should have {}", id.hex(), store_.describe(),
                                         there->second.size, size),
                             "copy it back from another copy of the repository"));
    }
  }
  return {};
}

Status Checker::check_pack_bytes() {
  const std::vector<ObjectInfo> packs = choose_objects(all_packs(), options_);
  PackCheck check = KURA_TRY(check_packs(repository_, packs, threads_, progress_, stop_));
  summary_.bytes_read += check.bytes_read;
  summary_.chunks_opened = check.chunks_opened;
  std::vector<std::pair<ObjectId, Error>> damaged(check.damaged.begin(), check.damaged.end());
  std::ranges::sort(damaged, {}, &std::pair<ObjectId, Error>::first);
  for (auto& [id, error] : damaged) add_bad_pack(id, std::move(error));
  return {};
}

void Checker::tell_bad_packs(const Losses& losses) {
  const bool some_missing =
      std::ranges::any_of(bad_in_order_, [](const auto& bad) { return bad.second.code() == ErrorCode::kNotFound; });
  if (some_missing && repository_.write_secrets() != nullptr) bad_chunks_ = count_chunks_of_bad_packs();
  for (auto& [id, error] : bad_in_order_) {
    std::vector<ObjectId> users = users_of_pack(id);
    if (error.code() != ErrorCode::kNotFound) {
      findings_.add(Kind::kPack, id, std::move(error), std::move(users));
    } else if (!users.empty()) {
      tell_missing_pack(id, std::move(users), losses);
    }
  }
}

// A backup that found it gone may have stored again what it held. Then nothing is lost, and readers find it there.
void Checker::tell_missing_pack(const ObjectId& id, std::vector<ObjectId> users, const Losses& losses) {
  Error error = missing(Kind::kPack, id);
  const auto count = bad_chunks_.find(id);
  if (count == bad_chunks_.end()) {  // no key here, or no whole index, to tell what it held
    if (repository_.write_secrets() == nullptr) {
      error = std::move(error).with_hint(
          "copy it back from another copy of the repository; with a key `kura check` tells whether what it held was "
          "stored again");
    }
    findings_.add(Kind::kPack, id, std::move(error), std::move(users));
    return;
  }
  const auto lost = losses.packs.find(id);
  if (repository_.recovery_secrets() != nullptr) {
    std::erase_if(users, [&](const ObjectId& user) {
      return !losses.unread.contains(user) && (lost == losses.packs.end() || !lost->second.snapshots.contains(user));
    });
  }
  if (count->second.lost == 0 || users.empty()) {
    ++summary_.packs_replaced;
    return;
  }
  const std::string example = lost == losses.packs.end() ? "" : fmt::format(", which {} needs", lost->second.path);
  findings_.add(Kind::kPack, id,
                Error(error.code(),
                      fmt::format("{}, and {} of its {} chunks are stored nowhere else{}", error.message(),
                                  count->second.lost, count->second.all, example),
                      "copy it back from another copy of the repository, or run a backup: what the machine still has "
                      "is stored again"),
                std::move(users));
}

std::unordered_map<ObjectId, Checker::ChunkCount, base::DigestHash> Checker::count_chunks_of_bad_packs() const {
  std::vector<ChunkCount> counts(chunks_.packs().size());
  std::vector<bool> is_bad;
  for (const ChunkIndex::Pack& pack : chunks_.packs()) is_bad.push_back(bad_packs_.contains(pack.id));
  chunks_.each_chunk([&](const ChunkId& id, const ChunkPlace& place) {
    if (!is_bad[place.pack]) return;
    ++counts[place.pack].all;
    const std::vector<ChunkPlace> copies = chunks_.copies(id);
    if (std::ranges::all_of(copies, [&](const ChunkPlace& copy) { return is_bad[copy.pack]; })) {
      ++counts[place.pack].lost;
    }
  });
  std::unordered_map<ObjectId, ChunkCount, base::DigestHash> result;
  for (std::size_t number = 0; number < counts.size(); ++number) {
    if (is_bad[number]) result.emplace(chunks_.packs()[number].id, counts[number]);
  }
  return result;
}

Result<CheckSummary> Checker::run() {
  KURA_TRY(check_small_objects(repository_, findings_, summary_));
  // In this order: what the snapshots and indexes of this moment need was stored before.
  KURA_TRY(check_snapshots());
  for (const ObjectInfo& info : KURA_TRY(store_.list(Kind::kPack))) packs_.emplace(info.id, info);
  summary_.packs = packs_.size();
  summary_.objects += packs_.size();
  KURA_TRY(read_needed());
  KURA_TRY(check_indexes());
  KURA_TRY(add_unlisted_packs());
  KURA_TRY(check_needs());
  KURA_TRY(check_pack_bytes());
  KURA_TRY(check_parity({.repository = repository_,
                         .options = options_,
                         .packs = all_packs(),
                         .bad_packs = {bad_packs_.begin(), bad_packs_.end()}},
                        findings_, summary_, stop_));
  Losses losses;
  if (repository_.recovery_secrets() != nullptr) {
    summary_.opened = true;
    losses = KURA_TRY(
        check_trees({.repository = repository_, .index = chunks_, .bad_packs = bad_packs_, .threads = threads_},
                    snapshots_, findings_, stop_));
  }
  tell_bad_packs(losses);
  summary_.findings = findings_.count();
  return summary_;
}

}  // namespace

Result<CheckSummary> run_check(const Repository& repository, const CheckOptions& options, base::Progress& progress,
                               const std::function<void(const CheckFinding&)>& on_finding, std::stop_token stop) {
  const auto begin = std::chrono::steady_clock::now();
  // Keeps garbage collection from what is being read. A store that takes no writes is checked without.
  const auto lease = Lease::take(repository.store(), LeasePurpose::kRead);
  CheckFindings findings(progress, on_finding);
  CheckSummary summary = KURA_TRY(Checker(repository, options, progress, findings, stop).run());
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return summary;
}

}  // namespace kura::archive
