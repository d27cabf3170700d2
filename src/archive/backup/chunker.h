// Where a stream of bytes is cut into chunks: content-defined, so that an insertion moves only the cuts near it.
//
// A cut lies behind the first byte where enough bits of a hash of the bytes before it are zero: more bits before the
// average size than after it (normalised chunking: Xia et al., "FastCDC", USENIX ATC 2016), never before `least` bytes
// and always at `most`. The hashes come from the repository's secrets, so the sizes of chunks tell nothing about known
// files. The config names one of two algorithms:
//
// 1: a gear hash, h = (h << 1) + table[byte] in 64 bits, whose top bits depend on the last 64 bytes only. 0.6 ns a
//    byte: each waits for the one before.
// 2: up to 12 of the bits are of a hash of 16 bytes that is had of many places at once (window_scan.h), and only where
//    they are zero, the gear hash tells the rest. 0.1 ns a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "archive/backup/window_scan.h"
#include "archive/format/config.h"
#include "base/bytes.h"

namespace kura::archive {

// Read-only, so threads may share it.
class Chunker {
 public:
  // `parameters` as Config::check_writable lets them through: 0 < least <= average <= most, average a power of two.
  Chunker(const ChunkerParameters& parameters, const GearTable& gear, WindowScan::Code code = WindowScan::best());

  // How far a search has come in a chunk; a fresh one for each chunk.
  struct Search {
    std::size_t position = 0;
    std::uint64_t hash = 0;  // of algorithm 1
  };

  // The size of the chunk at the front of `available`, or nothing when more bytes are needed to tell. The search goes
  // on from where it was: no byte is looked at twice when `available` has grown behind. The answer does not depend on
  // how the stream is fed. With `at_end`, all bytes of the stream are there (at least one): never nothing.
  std::optional<std::size_t> next_cut(base::ByteSpan available, bool at_end, Search& search) const;

  std::size_t least() const { return least_; }
  std::size_t most() const { return most_; }

 private:
  // Each goes from `search.position` towards `end`; true when a cut was found (at the new position).
  bool look(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const;
  bool roll(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const;
  bool scan(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const;
  bool roll_both(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const;

  GearTable gear_;
  std::uint8_t algorithm_;
  std::size_t least_, average_, most_;
  std::uint64_t hard_mask_, easy_mask_;  // of the gear hash
  WindowScan window_scan_;
};

}  // namespace kura::archive
