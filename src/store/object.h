// What a store holds: immutable objects, each named by the SHA-256 of its bytes, in a few kinds.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace kura::store {

// The kind decides the folder (or key prefix) an object lies in; see docs/format.md, "Objects".
enum class Kind : std::uint8_t { kConfig, kKey, kPack, kIndex, kSnapshot, kLease, kCondemned, kParity };

inline constexpr std::array kAllKinds = {Kind::kConfig,   Kind::kKey,   Kind::kPack,      Kind::kIndex,
                                         Kind::kSnapshot, Kind::kLease, Kind::kCondemned, Kind::kParity};

// Where there is one of these, there is a repository, though its config may be lost: parity brings that back.
inline constexpr std::array kSignsOfRepository = {Kind::kConfig, Kind::kParity};

// "config", "keys", "packs", "index", "snapshots", "leases", "condemned", "parity": the folder's name.
std::string_view folder_of(Kind kind);
// "config", "key", "pack", "index", "snapshot", "lease", "condemned list", "parity": in messages.
std::string_view name_of(Kind kind);

using ObjectId = base::Digest;

struct ObjectInfo {
  ObjectId id;
  std::uint64_t size = 0;     // bytes
  std::int64_t received = 0;  // when the store took it, by the store's own clock: ns since 1970
  bool barred = false;        // in a vault, behind a barrier: nothing new may lean on it
};

}  // namespace kura::store
