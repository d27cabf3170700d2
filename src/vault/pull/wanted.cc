#include "vault/pull/wanted.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace kura::vault {

using store::Kind;
using store::ObjectId;

WantedScan::WantedScan(std::function<bool(Kind, const ObjectId&)> is_settled, std::size_t most_commits)
    : is_settled_(std::move(is_settled)), most_commits_(most_commits) {}

void WantedScan::add(Kind kind, const ObjectId& id, std::uint64_t size) {
  const bool is_commit = kind == Kind::kSnapshot;
  auto& list = is_commit ? wanted_.commits : wanted_.objects;
  if (is_settled_(kind, id)) return;
  if (list.size() >= (is_commit ? most_commits_ : kMostObjects)) {
    wanted_.is_all = false;
    return;
  }
  list.push_back({.kind = kind, .id = id, .size = size});
}

void WantedScan::take(const Entry& entry) {
  const Event& event = entry.event;
  switch (event.type) {
    case EventType::kObject:
      if (event.objects.size() != 1 || (event.kind != Kind::kConfig && event.kind != Kind::kKey)) return;
      return add(event.kind, event.objects[0], event.bytes);
    case EventType::kCommit:
      if (event.objects.size() == 1) add(Kind::kSnapshot, event.objects[0], event.bytes);
      return;
    case EventType::kExpire:
    case EventType::kDelete: {
      if (wanted_.commits.empty()) return;
      const std::unordered_set<ObjectId, base::DigestHash> gone(event.objects.begin(), event.objects.end());
      std::erase_if(wanted_.commits, [&](const WantedObject& commit) { return gone.contains(commit.id); });
      return;
    }
    default:
      return;
  }
}

Wanted WantedScan::finish() && {
  std::ranges::sort(wanted_.objects, {}, &WantedObject::kind);
  return std::move(wanted_);
}

}  // namespace kura::vault
