#include "archive/format/index.h"

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/format/object_head.h"
#include "archive/format/sealed_part.h"

namespace kura::archive {
namespace {

constexpr std::string_view kIndexMagic = "KURAINDX";
constexpr std::string_view kTheIndex = "the index";
constexpr std::string_view kIndexInfo = "kura index v1";
constexpr std::size_t kClearPackBytes = 32 + 8;

Salt salt_for(const std::vector<IndexedPack>& packs) {
  base::Encoder ids;
  for (const IndexedPack& pack : packs) ids.raw(pack.id.span());
  return fresh_salt(ids.bytes());
}

// The packs' ids and sizes.
std::vector<IndexedPack> decode_clear(base::Decoder& in) {
  const std::uint32_t count = in.u32();
  if (count > in.rest().size() / kClearPackBytes) in.fail("it promises more packs than it has bytes for");
  std::vector<IndexedPack> packs;
  if (in.ok()) packs.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const store::ObjectId id = in.digest();
    const std::uint64_t size = in.u64();
    if (size > kPackLimit) in.fail("a pack is larger than allowed");
    packs.push_back({.id = id, .size = size, .record = {}});
  }
  return packs;
}

base::Status decode_records(base::ByteSpan text, std::vector<IndexedPack>& packs) {
  base::Decoder in(text);
  for (IndexedPack& pack : packs) {
    pack.record = PackRecord::decode(in);
    if (in.ok() && pack.record.pack_size() != pack.size) in.fail("the frames of a pack do not fill it");
  }
  return in.finish(kTheIndex);
}

}  // namespace

base::Bytes Index::encode(crypto::AeadKind aead, const base::Key& catalog_key) const {
  const Salt salt = salt_for(packs);
  base::Encoder out;
  encode_head(out, kIndexMagic);
  out.u8(static_cast<std::uint8_t>(aead)).u8(0).raw(repository).raw(salt);
  out.u32(static_cast<std::uint32_t>(packs.size()));
  base::Encoder records;
  for (const IndexedPack& pack : packs) {
    out.raw(pack.id.span()).u64(pack.size);
    pack.record.encode(records);
  }
  out.raw(seal_part(aead, catalog_key, salt, kIndexInfo, out.bytes(), records.bytes()));
  return out.take();
}

base::Result<Index> Index::decode(base::ByteSpan object, const base::Key* catalog_key) {
  base::Decoder in(object);
  KURA_TRY(decode_head(in, kIndexMagic, kIndexLimit, kTheIndex));
  Index index;
  const crypto::AeadKind aead = decode_aead(in);
  if (in.u8() != 0) in.fail("a byte that is always zero is not");
  in.copy(index.repository);
  Salt salt{};
  in.copy(salt);
  index.packs = decode_clear(in);
  const base::ByteSpan associated = object.first(in.position());
  const base::ByteSpan sealed = in.raw(in.rest().size());
  if (sealed.size() < crypto::kTagSize) in.fail("it ends too early");
  KURA_TRY(in.finish(kTheIndex));
  if (catalog_key == nullptr) return index;

  const auto text = open_part(aead, *catalog_key, salt, kIndexInfo, associated, sealed);
  if (!text) return damaged(kTheIndex, "its records do not open");
  KURA_TRY(decode_records(*text, index.packs));
  return index;
}

}  // namespace kura::archive
