// Packs read once, in blocks: hashed and, with the recovery key, opened.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "archive/upkeep/check.h"

namespace kura::archive {

struct PackCheck {
  // What is wrong with each pack that is not whole.
  std::unordered_map<store::ObjectId, base::Error, base::DigestHash> damaged;
  std::uint64_t bytes_read = 0;
  std::uint64_t chunks_opened = 0;
};

// Which packs or shards are read: those that the options name, or a share of the bytes chosen by chance.
std::vector<store::ObjectInfo> choose_objects(std::vector<store::ObjectInfo> objects, const CheckOptions& options);
// A pack that is gone counts as damaged (kNotFound).
base::Result<PackCheck> check_packs(const Repository& repository, const std::vector<store::ObjectInfo>& packs,
                                    unsigned threads, base::Progress& progress, const std::stop_token& stop);

}  // namespace kura::archive
