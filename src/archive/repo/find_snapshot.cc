// SNAPSHOT as a person writes it.
#include <algorithm>
#include <ranges>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "archive/repo/repository.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::size_t kLeastPrefix = 4;
constexpr std::size_t kMostShown = 5;

// "12345678, 9abcdef0 and 3 more", the last received first.
std::string shown(const std::vector<const StoredSnapshot*>& candidates) {
  std::string text;
  std::size_t count = 0;
  for (const StoredSnapshot* at : candidates | std::views::reverse | std::views::take(kMostShown)) {
    text += (count++ == 0 ? "" : ", ") + at->id.hex().substr(0, 16);
  }
  if (candidates.size() > count) text += fmt::format(" and {} more", candidates.size() - count);
  return text;
}

std::string shown(const SnapshotList& list) {
  std::vector<const StoredSnapshot*> all;
  all.reserve(list.snapshots.size());
  for (const StoredSnapshot& at : list.snapshots) all.push_back(&at);
  return all.empty() ? "there are no snapshots" : "there are " + shown(all);
}

Result<StoredSnapshot> find_latest(const SnapshotList& list) {
  if (!list.snapshots.empty()) return list.snapshots.back();
  if (!list.damaged.empty()) {
    return base::fail(ErrorCode::kDamaged, fmt::format("none of {} snapshots is whole", list.damaged.size()),
                      "run `kura check` to see what is damaged");
  }
  return base::fail(ErrorCode::kNotFound, "the repository has no snapshots yet", "make one with `kura backup`");
}

Result<StoredSnapshot> find_clean(const SnapshotList& list) {
  const bool readable =
      std::ranges::all_of(list.snapshots, [](const auto& at) { return at.snapshot.label.has_value(); });
  if (!readable) {
    return base::fail(ErrorCode::kWrongKey, "the verdicts of snapshots cannot be read without a key",
                      "give the state folder of the machine or the recovery key");
  }
  // The first files of a slow attack are in snapshots that were called clean: what was suspected since then tells.
  const StoredSnapshot* newest = nullptr;
  std::set<std::pair<crypto::PublicKey, Series>> seen;
  for (const StoredSnapshot& at : list.snapshots | std::views::reverse) {
    const bool is_last = seen.emplace(at.snapshot.machine, at.snapshot.series).second;
    if (at.snapshot.label->verdict != Verdict::kClean) continue;
    if (is_last || at.snapshot.label->suspicion.is_none()) return at;
    if (newest == nullptr) newest = &at;
  }
  if (newest != nullptr) return *newest;
  return base::fail(ErrorCode::kNotFound, "no snapshot has the verdict clean", "`kura snapshots` lists them all");
}

Result<std::string> prefix_of(std::string_view name) {
  std::string prefix;
  for (const char c : name) prefix += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  const bool hex = prefix.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (hex && prefix.size() >= kLeastPrefix && prefix.size() <= 64) return prefix;
  return base::fail(ErrorCode::kUsage, fmt::format("'{}' names no snapshot", name),
                    "write 4 or more digits of its id, `latest`, or `clean`");
}

}  // namespace

Result<StoredSnapshot> find_snapshot(const SnapshotList& list, std::string_view name) {
  if (name == "latest") return find_latest(list);
  if (name == "clean") return find_clean(list);
  const std::string prefix = KURA_TRY(prefix_of(name));
  std::vector<const StoredSnapshot*> found;
  for (const StoredSnapshot& at : list.snapshots) {
    if (at.id.hex().starts_with(prefix)) found.push_back(&at);
  }
  if (found.size() == 1) return *found.front();
  if (found.size() > 1) {
    return base::fail(ErrorCode::kUsage,
                      fmt::format("'{}' is the beginning of several snapshots: {}", name, shown(found)),
                      "write more digits");
  }
  for (const DamagedObject& damaged : list.damaged) {
    if (damaged.id.hex().starts_with(prefix)) return base::fail(damaged.error);
  }
  return base::fail(ErrorCode::kNotFound, fmt::format("there is no snapshot '{}'; {}", name, shown(list)),
                    "`kura snapshots` lists them all");
}

}  // namespace kura::archive
