#include "archive/upkeep/check_trees.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "archive/upkeep/folder_walk.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;

// The packs that one snapshot names, by their numbers in the index of all.
struct NamedPacks {
  std::vector<bool> has;
  bool complete = true;  // false when an index that it names cannot be read
};

class TreeChecker {
 public:
  TreeChecker(const TreeCheck& check, const std::vector<StoredSnapshot>& snapshots, CheckFindings& findings)
      : check_(check), snapshots_(snapshots), findings_(findings), clear_(check.repository) {
    for (std::uint32_t i = 0; i < check.index.packs().size(); ++i) numbers_.emplace(check.index.packs()[i].id, i);
  }

  Result<Losses> run(const std::stop_token& stop) {
    FolderWalk walk(check_.repository, check_.index, check_.bad_packs);
    std::vector<std::size_t> roots;
    roots.reserve(snapshots_.size());
    for (const StoredSnapshot& stored : snapshots_) roots.push_back(walk.add_root(stored.snapshot.label->root));
    KURA_TRY(walk.run(check_.threads, stop));
    KURA_TRY(judge(walk, roots, stop));
    return std::move(losses_);
  }

 private:
  // Which snapshots have which folders, and so which problems.
  Status judge(FolderWalk& walk, const std::vector<std::size_t>& roots, const std::stop_token& stop) {
    std::vector<std::vector<ObjectId>> sufferers(walk.folders().size());
    std::vector<std::size_t> seen_by(walk.folders().size(), 0);
    for (std::size_t i = 0; i < snapshots_.size(); ++i) {
      KURA_TRY(check_not_stopped(stop));
      const NamedPacks named = named_packs(snapshots_[i].snapshot);
      bool told = false;
      std::vector<std::size_t> todo = {roots[i]};
      while (!todo.empty()) {
        const std::size_t number = todo.back();
        todo.pop_back();
        if (std::exchange(seen_by[number], i + 1) == i + 1) continue;
        const WalkedFolder& folder = walk.folders()[number];
        if (!folder.problems.empty()) sufferers[number].push_back(snapshots_[i].id);
        note_losses(snapshots_[i].id, folder);
        todo.insert(todo.end(), folder.children.begin(), folder.children.end());
        if (told || !named.complete || covers(named, folder)) continue;
        if (KURA_TRY(walk.is_covered(folder, named.has))) continue;
        tell_unnamed(snapshots_[i], folder);
        told = true;
      }
    }
    for (std::size_t number = 0; number < walk.folders().size(); ++number) {
      for (const Error& problem : walk.folders()[number].problems) {
        const std::vector<ObjectId>& snapshots = sufferers[number];
        if (!snapshots.empty()) findings_.add(Kind::kSnapshot, snapshots.front(), problem, snapshots);
      }
    }
    return {};
  }

  void note_losses(const ObjectId& snapshot, const WalkedFolder& folder) {
    if (folder.is_unread) losses_.unread.insert(snapshot);
    for (const auto& [number, path] : folder.lost) {
      Losses::Pack& pack = losses_.packs[check_.index.packs()[number].id];
      pack.snapshots.insert(snapshot);
      if (pack.path.empty()) pack.path = path;
    }
  }

  static bool covers(const NamedPacks& named, const WalkedFolder& folder) {
    return std::ranges::all_of(folder.packs, [&](std::uint32_t pack) { return named.has[pack]; });
  }

  void tell_unnamed(const StoredSnapshot& stored, const WalkedFolder& folder) {
    findings_.add(
        Kind::kSnapshot, stored.id,
        Error(ErrorCode::kDamaged,
              fmt::format("snapshot {} uses packs that it does not name, for {}", stored.id.hex(), folder.path),
              "freeing space would break it: back the same paths up again, and report this"),
        {stored.id});
  }

  NamedPacks named_packs(const Snapshot& snapshot) {
    NamedPacks named{.has = std::vector<bool>(check_.index.packs().size()), .complete = true};
    named.complete = for_each_need(snapshot, clear_, [&](const IndexedPack& pack) {
                       const auto number = numbers_.find(pack.id);
                       if (number != numbers_.end()) named.has[number->second] = true;
                     }).has_value();
    return named;
  }

  const TreeCheck& check_;
  const std::vector<StoredSnapshot>& snapshots_;
  CheckFindings& findings_;
  ClearIndexes clear_;
  Losses losses_;
  std::unordered_map<ObjectId, std::uint32_t, base::DigestHash> numbers_;
};

}  // namespace

Result<Losses> check_trees(const TreeCheck& check, const std::vector<StoredSnapshot>& snapshots,
                           CheckFindings& findings, const std::stop_token& stop) {
  return TreeChecker(check, snapshots, findings).run(stop);
}

}  // namespace kura::archive
