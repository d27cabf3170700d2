// What this machine remembers of its last backup of a series: how much that used of each pack. By it compaction
// (compaction.h) tells which packs are used sparsely.
//
// It is a cache like that of the files (file_cache.h): it is written after the commit, beside a temporary name, and
// what is lost or damaged of it costs space that is won later, and nothing else.
//
//   STATE/<config id>/<series>.uses: magic "KURAUSES", u16 version, config id, snapshot id, varint number of packs,
//   each: id, varint bytes used, varint bytes, zigzag since; then SHA-256 of all before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "store/object.h"

namespace kura::archive {

struct PackUse {
  store::ObjectId pack;
  std::uint64_t used = 0;   // bytes of its chunks that the snapshot has, before compression
  std::uint64_t bytes = 0;  // of all its chunks
  std::int64_t since = 0;   // when the first backup of the series that used it began, ns since 1970; 0: not known

  friend bool operator==(const PackUse&, const PackUse&) = default;
};

struct PackUses {
  store::ObjectId snapshot;
  std::vector<PackUse> packs;  // those of which something is used
};

// For `config`; nothing when it is another's, or does not say.
std::optional<PackUses> decode_pack_uses(base::ByteSpan file, const store::ObjectId& config);
base::Bytes encode_pack_uses(const PackUses& uses, const store::ObjectId& config);

// An absent, foreign or damaged file says nothing.
std::optional<PackUses> load_pack_uses(const std::string& path, const store::ObjectId& config);
// Takes the place of what was there, or fails without a word.
void save_pack_uses(const std::string& path, const PackUses& uses, const store::ObjectId& config);

}  // namespace kura::archive
