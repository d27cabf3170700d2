#include "archive/repo/snapshot_cache.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "archive/repo/checksum.h"
#include "store/file_system.h"

namespace kura::archive {
namespace {

constexpr std::string_view kMagic = "KURASNPC";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint64_t kFileLimit = 1ULL << 30;
constexpr std::size_t kTextLimit = 64U << 20;
constexpr std::size_t kSumSize = 8;
constexpr std::size_t kLeastRecord = 32 + 8 + 1;
constexpr std::size_t kLeastNeeded = 32 + 1;

base::Bytes text_of(const Snapshot& snapshot) {
  base::Encoder out;
  out.raw(snapshot.repository).raw(snapshot.machine).u64(snapshot.number).raw(snapshot.before.span());
  out.raw(snapshot.series).i64(snapshot.started).varint(snapshot.needs.size());
  for (const NeededPacks& needed : snapshot.needs) out.raw(needed.index.span()).string(needed.bits);
  snapshot.label.value().encode(out);
  return out.take();
}

std::optional<Snapshot> snapshot_of(base::ByteSpan text) {
  base::Decoder in(text);
  Snapshot snapshot;
  in.copy(snapshot.repository);
  in.copy(snapshot.machine);
  snapshot.number = in.u64();
  snapshot.before = in.digest();
  in.copy(snapshot.series);
  snapshot.started = in.i64();
  snapshot.needs.resize(in.count(kLeastNeeded));
  for (NeededPacks& needed : snapshot.needs) {
    needed.index = in.digest();
    const base::ByteSpan bits = in.string(kTextLimit);
    needed.bits.assign(bits.begin(), bits.end());
  }
  snapshot.label = SnapshotLabel::decode(in);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return snapshot;
}

}  // namespace

SnapshotCache SnapshotCache::read(const std::string& path, const store::ObjectId& config) {
  base::Result<base::Bytes> file = store::posix_file_system().read_all(path, kFileLimit);
  return file ? decode(*std::move(file), config) : SnapshotCache();
}

SnapshotCache SnapshotCache::decode(base::Bytes file, const store::ObjectId& config) {
  SnapshotCache cache;
  cache.file_ = std::move(file);
  if (cache.file_.size() < kSumSize) return {};
  const base::ByteSpan body = base::ByteSpan(cache.file_).first(cache.file_.size() - kSumSize);
  if (base::Decoder(base::ByteSpan(cache.file_).last(kSumSize)).u64() != checksum(body, 0)) return {};
  base::Decoder in(body);
  if (base::as_text(in.raw(kMagic.size())) != kMagic || in.u16() != kVersion || in.digest() != config) return {};
  const std::uint32_t count = in.u32();
  if (count > in.rest().size() / kLeastRecord) return {};
  cache.records_.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const store::ObjectId id = in.digest();
    const std::uint64_t size = in.u64();
    cache.records_.push_back({.id = id, .size = size, .text = in.string(kTextLimit)});
  }
  if (!in.ok() || !in.at_end() || !std::ranges::is_sorted(cache.records_, {}, &Record::id)) return {};
  return cache;
}

std::optional<Snapshot> SnapshotCache::find(const store::ObjectInfo& object) const {
  const auto found = std::ranges::lower_bound(records_, object.id, {}, &Record::id);
  if (found == records_.end() || found->id != object.id || found->size != object.size) return std::nullopt;
  return snapshot_of(found->text);
}

base::Bytes SnapshotCache::encode(std::vector<Item> items, const store::ObjectId& config) {
  std::ranges::sort(items, {}, &Item::id);
  base::Encoder out;
  out.raw(base::as_bytes(kMagic)).u16(kVersion).raw(config.span()).u32(static_cast<std::uint32_t>(items.size()));
  for (const Item& item : items) out.raw(item.id.span()).u64(item.size).string(text_of(*item.snapshot));
  out.u64(checksum(out.bytes(), 0));
  return out.take();
}

}  // namespace kura::archive
