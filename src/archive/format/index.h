// Index objects: the records of a number of packs (docs/format.md, section 6).
#pragma once

#include <cstdint>
#include <vector>

#include "archive/format/pack.h"

namespace kura::archive {

struct IndexedPack {
  store::ObjectId id;
  std::uint64_t size = 0;  // bytes of the pack object
  PackRecord record;       // empty when read without the catalog key
};

struct Index {
  RepositoryId repository{};
  std::vector<IndexedPack> packs;

  base::Bytes encode(crypto::AeadKind aead, const base::Key& catalog_key) const;
  // Each pack's size must be its record's pack_size(). With catalog_key null only the clear part is read, and the
  // records are left empty.
  static base::Result<Index> decode(base::ByteSpan object, const base::Key* catalog_key);
};

}  // namespace kura::archive
