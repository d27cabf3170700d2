// Indexes: in clear as they are, and with records that are sealed here, since no fuzzer guesses a tag.
#include "archive/format/index.h"

#include "archive/format/sealed_part.h"
#include "support/fuzz_support.h"

namespace kura {

using archive::Index;

namespace {

bool equal(const Index& a, const Index& b) {
  return a.repository == b.repository &&
         std::ranges::equal(a.packs, b.packs, [](const archive::IndexedPack& x, const archive::IndexedPack& y) {
           return x.id == y.id && x.size == y.size && x.record == y.record;
         });
}

void try_decode(base::ByteSpan object, const base::Key* catalog_key) {
  const auto index = [&] {
    const fuzz::AllocationWatch watch(object.size());
    return Index::decode(object, catalog_key);
  }();
  if (!index || catalog_key == nullptr) return;
  const auto again = Index::decode(index->encode(crypto::AeadKind::kAes256Gcm, *catalog_key), catalog_key);
  fuzz::require(again && equal(*again, *index), "an index reads back");
}

// The clear part of `bytes`, and what follows it sealed.
base::Bytes sealed_anew(base::ByteSpan bytes, const base::Key& key) {
  base::Decoder in(bytes);
  in.raw(10);
  const auto aead = archive::decode_aead(in);
  in.raw(1 + 16);
  const base::ByteSpan salt = in.raw(32);
  const std::uint32_t count = in.u32();
  in.raw(std::min<std::size_t>(count, in.rest().size()) * 40);
  if (!in.ok()) return {};
  const base::ByteSpan clear = bytes.first(in.position());
  base::Encoder out;
  out.raw(clear).raw(archive::seal_part(aead, key, salt, "kura index v1", clear, in.rest()));
  return out.take();
}

}  // namespace

void fuzz::index(base::ByteSpan input) {
  const base::Key key = fuzz::key_of(2);
  try_decode(input, nullptr);
  try_decode(input, &key);
  try_decode(sealed_anew(input, key), &key);
}

}  // namespace kura
