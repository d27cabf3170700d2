// How a file looks block by block: which blocks of 4 KiB look random, which hold one value only.
//
// Whoever encrypts parts of a file does it in blocks of a power of two at offsets of such; data that are compressed by
// design begin and end anywhere. So the edges of what looks random say more than how much of it there is.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "detect/input/window.h"

namespace kura::detect {

inline constexpr std::size_t kBlock = 4096;

// One bit a block.
class BlockSet {
 public:
  void add(std::uint64_t block) { add(block, 1); }
  // `count` blocks from `block` on.
  void add(std::uint64_t block, std::uint64_t count);
  bool has(std::uint64_t block) const {
    return block / 64 < words_.size() && (words_[static_cast<std::size_t>(block / 64)] >> (block % 64) & 1) != 0;
  }
  std::uint64_t count() const;
  const std::vector<std::uint64_t>& words() const { return words_; }
  static BlockSet of_words(std::vector<std::uint64_t> words);

  friend bool operator==(const BlockSet&, const BlockSet&) = default;

 private:
  std::vector<std::uint64_t> words_;
};

// Of a file, or of stretches of it. Blocks are counted from the file's beginning; the last one of a file may be short.
struct Texture {
  bool complete = false;      // of the whole file
  std::uint64_t blocks = 0;   // that were looked at
  BlockSet random;            // look random; a short block needs 256 bytes for it
  std::uint64_t uniform = 0;  // hold one byte value only

  std::uint64_t random_count() const { return random.count(); }
  // What a wiper leaves; false of nothing.
  bool is_uniform() const { return blocks > 0 && uniform == blocks; }
  friend bool operator==(const Texture&, const Texture&) = default;
};

// Adds the blocks that lie wholly in `range`, or up to the end of the file. Costs a read and about a nanosecond a byte.
void survey(Window& in, Range range, Texture& texture);

// Runs of blocks that look random, inside of what does not.
struct Islands {
  std::uint64_t runs = 0;   // of random blocks between ones that are not, in the range
  std::uint64_t sharp = 0;  // of those, the ones with plain bytes up to the last before them, and right after them
};
// Every `step`-th byte from offset `first` of the file on: of samples, the ones that tell.
struct Column {
  std::size_t step = 1;
  std::uint64_t first = 0;
};
// Costs four small reads for each run, of at most 4096 runs.
Islands find_islands(Window& in, Range range, const Texture& texture, std::optional<Column> samples = {});

// Whether cells of 16 to 1024 bytes that look random alternate with plain ones, as "16 bytes of every 32" leaves them.
// Looks at up to 16 pieces of 256 KiB, spread over the range; the share of cells that look random, if so.
std::optional<double> find_interleaving(Window& in, Range range);

}  // namespace kura::detect
