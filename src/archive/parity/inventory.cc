#include "archive/parity/inventory.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/repo/loss.h"
#include "base/parallel.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectInfo;

constexpr unsigned kReaders = 8;               // a store may be far away
constexpr std::uint64_t kFirstRead = 4 << 10;  // bytes: the whole head of a group of some packs

bool is_shards_own_trouble(store::Store& store, const Error& error) {
  return error.code() == ErrorCode::kUnsupported || is_loss(store, error);
}

}  // namespace

std::uint64_t StoredGroup::stored_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& shard : shards) bytes += shard ? shard->size : 0;
  return bytes;
}

void ParityInventory::index() {
  by_id_.clear();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto& columns = groups[g].group.columns;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      for (std::size_t m = 0; m < columns[c].size(); ++m) {
        by_id_.emplace(columns[c][m].id, Place{.group = g, .column = c, .member = m});
      }
    }
  }
}

std::vector<ParityInventory::Place> ParityInventory::places(Kind kind, const store::ObjectId& id) const {
  std::vector<Place> found;
  const auto [first, last] = by_id_.equal_range(id);
  for (auto at = first; at != last; ++at) {
    const Place& place = at->second;
    if (groups[place.group].group.columns[place.column][place.member].kind == kind) found.push_back(place);
  }
  std::ranges::sort(found, {}, &Place::group);
  return found;
}

Result<ParityHead> read_parity_head(store::Store& store, const ObjectInfo& shard) {
  const auto read = [&](std::uint64_t size) -> Result<base::Bytes> {
    base::Bytes bytes(std::min(size, shard.size));
    KURA_TRY(store.read_at(Kind::kParity, shard.id, 0, bytes));
    return bytes;
  };
  base::Bytes front = KURA_TRY(read(kFirstRead));
  const std::string what = fmt::format("parity {} in {}", shard.id.hex(), store.describe());
  const std::size_t start = std::min(front.size(), kParityStartSize);
  const std::uint64_t size = KURA_TRY_AS(ParityHead::size(base::ByteSpan(front).first(start)), what);
  if (size > front.size()) front = KURA_TRY(read(size));
  front.resize(std::min<std::uint64_t>(front.size(), size));
  ParityHead head = KURA_TRY_AS(ParityHead::decode(front), what);
  if (head.object_size(size) != shard.size) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("{} has {} bytes and should have {}", what, shard.size, head.object_size(size)));
  }
  return head;
}

Result<ParityInventory> read_parity(store::Store& store, const std::stop_token& stop) {
  std::vector<ObjectInfo> shards = KURA_TRY(store.list(Kind::kParity));
  std::ranges::sort(shards, {}, &ObjectInfo::id);
  std::vector<std::optional<Result<ParityHead>>> heads(shards.size());
  KURA_TRY(base::each_on_threads(shards.size(), kReaders, [&](std::size_t i) -> Status {
    KURA_TRY(base::not_stopped(stop));
    heads[i].emplace(read_parity_head(store, shards[i]));
    if (!*heads[i] && !is_shards_own_trouble(store, heads[i]->error())) return base::fail(heads[i]->error());
    return {};
  }));
  ParityInventory inventory;
  std::map<base::Digest, StoredGroup> groups;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    ++inventory.shards;
    inventory.bytes += shards[i].size;
    Result<ParityHead>& head = *heads[i];
    if (!head) {
      if (head.error().code() == ErrorCode::kNotFound) continue;  // a collection has removed it meanwhile
      inventory.damaged.push_back({.kind = Kind::kParity, .id = shards[i].id, .error = std::move(head).error()});
      continue;
    }
    const base::Digest name = head->group.name();
    StoredGroup& group = groups[name];
    if (group.shards.empty()) {
      group.name = name;
      group.shards.resize(head->group.shards);
      group.group = std::move(head->group);
    }
    // Of two that say the same number one is a lie; which, shows when it is used.
    if (auto& shard = group.shards[head->number]; !shard) shard = shards[i];
  }
  for (auto& [name, group] : groups) inventory.groups.push_back(std::move(group));
  inventory.index();
  return inventory;
}

}  // namespace kura::archive
