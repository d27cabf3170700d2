// Where a stream of bytes is cut into chunks: content-defined, so that an insertion moves only the cuts near it.
//
// A gear hash rolls over the bytes, h = (h << 1) + table[byte], so its top bits depend on the last 64 bytes only. A cut
// lies behind the first byte where enough of the top bits are zero: more bits before the average size than after it
// (normalised chunking: Xia et al., "FastCDC", USENIX ATC 2016), never before `least` bytes and always at `most`. The
// table comes from the repository's secrets, so the sizes of chunks tell nothing about known files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "archive/format/config.h"
#include "base/bytes.h"

namespace kura::archive {

using GearTable = std::array<std::uint64_t, 256>;

// Read-only, so threads may share it. About 0.4 ns a byte.
class Chunker {
 public:
  // `parameters` as Config::decode lets them through: 0 < least <= average <= most, average a power of two.
  Chunker(const ChunkerParameters& parameters, const GearTable& gear);

  // How far a search has come in a chunk; a fresh one for each chunk.
  struct Search {
    std::size_t position = 0;
    std::uint64_t hash = 0;
  };

  // The size of the chunk at the front of `available`, or nothing when more bytes are needed to tell. The search goes
  // on from where it was: no byte is looked at twice when `available` has grown behind. The answer does not depend on
  // how the stream is fed. With `at_end`, all bytes of the stream are there (at least one): never nothing.
  std::optional<std::size_t> next_cut(base::ByteSpan available, bool at_end, Search& search) const;

  std::size_t least() const { return least_; }
  std::size_t most() const { return most_; }

 private:
  // Rolls from `search.position` towards `end`; true when a cut was found (at the new position).
  bool roll(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const;

  // The same for a few thousand bytes, all of which are there; goes on behind them when there is no cut.
  bool roll_streams(const std::uint8_t* data, std::uint64_t mask, Search& search) const;

  GearTable gear_;
  std::size_t least_, average_, most_;
  std::uint64_t hard_mask_, easy_mask_;
};

}  // namespace kura::archive
