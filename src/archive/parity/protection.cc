#include "archive/parity/protection.h"

#include <utility>

namespace kura::archive {
namespace {

using base::Status;
using store::Kind;

// A pack is full when it has reached its target, so it may exceed that by a frame.
constexpr std::uint64_t kPackExcess = 5U << 20;

}  // namespace

Protection::Protection(const Repository& repository) : repository_(repository) {
  if (const auto& policy = repository.config().parity) packs_.emplace(pack_groups(*policy));
}

void Protection::note(Status status) {
  if (!status && !problem_) problem_ = std::move(status).error();
}

void Protection::add_pack(const store::ObjectId& id, std::span<const base::ByteSpan> parts) {
  if (!packs_ || problem_) return;
  const ParityMember pack{.kind = Kind::kPack, .id = id, .size = base::total_size(parts)};
  std::optional<unsigned> column = packs_->add(pack);
  if (!column) {
    note(close_group());
    column = packs_->add(pack);
  }
  const GroupForm form = pack_groups(*repository_.config().parity);
  if (!builder_) builder_.emplace(form.shards, form.block_bits, repository_.config().pack_target + kPackExcess);
  builder_->add(*column, packs_->last_begin(*column), parts);
}

Status Protection::close_group() {
  const ParityGroup group = std::exchange(*packs_, GroupShape(pack_groups(*repository_.config().parity))).group();
  const std::vector<BuiltShard> shards = builder_->build(group);
  Status stored = store_shards(repository_.store(), shards);
  for (const BuiltShard& shard : shards) bytes_ += stored ? shard.size() : 0;
  builder_->clear();
  return stored;
}

Status Protection::protect_small(std::vector<std::pair<Kind, store::ObjectId>> objects) {
  store::Store& store = repository_.store();
  for (const Kind kind : {Kind::kConfig, Kind::kKey}) {
    for (const store::ObjectInfo& info : KURA_TRY(store.list(kind))) objects.emplace_back(kind, info.id);
  }
  std::vector<ParityMember> members;
  members.reserve(objects.size());
  for (const auto& [kind, id] : objects) {
    members.push_back({.kind = kind, .id = id, .size = KURA_TRY(store.stat(kind, id)).size});
  }
  for (const ParityGroup& group : plan_groups(small_groups(*repository_.config().parity), std::move(members))) {
    const BuiltGroup built = KURA_TRY(build_group(store, group));
    KURA_TRY(store_shards(store, built.shards));
    bytes_ += built.stored_bytes();
  }
  return {};
}

void Protection::finish(const std::vector<std::pair<Kind, store::ObjectId>>& written) {
  if (!packs_) return;
  if (!problem_ && !packs_->empty()) note(close_group());
  note(protect_small(written));
  note(repository_.store().sync());
}

}  // namespace kura::archive
