// What was replaced between two versions of a file, byte by byte at the same places.
#pragma once

#include <cstdint>

#include "detect/input/window.h"
#include "detect/stats/byte_counts.h"

namespace kura::detect {

// Of two versions of one size, or of which the new one has some bytes behind it (a key), in cells of 16 bytes, the
// block of the ciphers. Who encrypts parts of a file replaces whole cells, from one multiple of a power of two to
// another; who edits one does not.
struct Replaced {
  std::uint64_t blocks = 0;       // of 4 KiB that differ
  std::uint64_t runs = 0;         // of those, in a row, with an equal block before and after
  std::uint64_t random = 0;       // blocks that differ and look random now
  bool comparable = false;        // else nothing of what follows is counted
  std::uint64_t kept = 0;         // cells that are equal
  std::uint64_t replaced = 0;     // cells of which nearly all bytes differ
  std::uint64_t edited = 0;       // cells of which some do
  std::uint64_t borders = 0;      // between kept and replaced cells
  std::uint64_t border_bits = 0;  // the borders' offsets, or-ed: all are multiples of its lowest bit
  ByteCounts before;              // of the bytes of replaced cells
  ByteCounts after;

  // How unlikely it is that the borders fell on such offsets by chance, in bits.
  std::uint64_t alignment_bits() const;
  // Whether the replaced bytes look random now, and did not before. Wants at least 32 of them.
  bool became_random() const;
  bool is_random() const;
};

// Reads both once.
Replaced compare_contents(Window& before, Window& after);

// Whether `after` is as long as `before` is in base64 or hexadecimal digits, with or without line ends, and consists of
// nothing else. Reads `after` only when its length fits.
bool is_printed(std::uint64_t before_size, Window& after);

}  // namespace kura::detect
