// What is kept in a machine's state: snapshots and uses of packs behind a checksum that is made anew here, and pages of
// an index table.
#include <cstring>

#include "archive/backup/pack_uses.h"
#include "archive/repo/checksum.h"
#include "archive/repo/index_table.h"
#include "archive/repo/snapshot_cache.h"
#include "crypto/hash.h"
#include "support/fuzz_support.h"

namespace kura {

namespace {

void try_snapshots(base::ByteSpan body) {
  base::Bytes file(body.begin(), body.end());
  base::Encoder sum;
  sum.u64(archive::checksum(body, 0));
  file.insert(file.end(), sum.bytes().begin(), sum.bytes().end());
  const auto cache = archive::SnapshotCache::decode(std::move(file), {});
  store::ObjectInfo object;
  if (body.size() >= 86) object.id = base::Digest::from_bytes(body.subspan(46, 32));
  if (body.size() >= 86) object.size = base::Decoder(body.subspan(78, 8)).u64();
  const auto snapshot = cache.find(object);
  if (!snapshot) return;
  const auto again = archive::SnapshotCache::decode(
      archive::SnapshotCache::encode({{.id = object.id, .size = object.size, .snapshot = &*snapshot}}, {}), {});
  const auto same = again.find(object);
  fuzz::require(same && same->label == snapshot->label && same->needs == snapshot->needs, "a snapshot reads back");
}

void try_table(base::ByteSpan bytes) {
  base::RawBuffer pages(bytes.size());
  pages.append(bytes);
  const auto table = archive::IndexTable::open(std::make_unique<archive::PageFile>(std::move(pages)), {});
  if (!table) return;
  for (std::uint32_t pack = 0; pack < table->packs().size(); ++pack) {
    if (table->frames_of(pack) != 0) table->frame(table->packs()[pack].first_frame);
  }
  for (std::uint32_t number = 0; number < table->chunks(); ++number) {
    const auto chunk = table->chunk(number);
    if (!chunk) continue;
    fuzz::require(table->pack_of(chunk->frame) < table->packs().size(), "a chunk lies in a pack of its table");
    table->find(chunk->id, [&](const archive::IndexTable::Chunk& found) {
      fuzz::require(found.id == chunk->id, "what is found is what was asked for");
      return true;
    });
  }
  table->each_prefix([](std::uint32_t, std::span<const std::uint32_t>) {});
}

void try_uses(base::ByteSpan body) {
  base::Bytes file(body.begin(), body.end());
  const base::Digest sum = crypto::sha256(body);
  file.insert(file.end(), sum.span().begin(), sum.span().end());
  const auto uses = [&] {
    const fuzz::AllocationWatch watch(file.size());
    return archive::decode_pack_uses(file, {});
  }();
  if (!uses) return;
  const auto again = archive::decode_pack_uses(archive::encode_pack_uses(*uses, {}), {});
  fuzz::require(again && again->snapshot == uses->snapshot && again->packs == uses->packs, "uses read back");
}

}  // namespace

void fuzz::cache(base::ByteSpan input) {
  const fuzz::FuzzInput part(input, 3);
  if (part.choice == 0) try_snapshots(part.bytes);
  if (part.choice == 1) try_table(part.bytes);
  if (part.choice == 2) try_uses(part.bytes);
}

}  // namespace kura
