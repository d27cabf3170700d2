#include "detect/grammar/noise.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace kura::detect {

// Sums the squares of how often each value comes. Even bytes give 512 + 512 * 511 / 256 = 1534, give or take 45; UTF-16
// of Chinese, the evenest of texts, gives 2,000 and more.
bool looks_random(base::ByteSpan bytes) {
  if (bytes.size() < kNoisePiece) return false;
  std::array<std::uint16_t, 256> times{};
  std::uint32_t squares = 0;
  // (n + 1)^2 - n^2 = 2n + 1: the sum grows as the bytes come.
  for (const std::uint8_t byte : bytes.first(kNoisePiece)) squares += 2U * times[byte]++ + 1U;
  return squares < 1740;
}

bool stripes_look_random(base::ByteSpan bytes, std::size_t stripe) {
  if (bytes.size() < 2 * kNoisePiece) return false;
  std::array<std::uint8_t, kNoisePiece> chosen{};
  for (std::size_t phase = 0; phase < 2 * stripe; phase += stripe) {
    for (std::size_t i = 0; i < kNoisePiece; i += stripe) {
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(2 * i + phase), stripe,
                  chosen.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (looks_random(chosen)) return true;
  }
  return false;
}

namespace {

std::size_t distinct(base::ByteSpan bytes) {
  std::array<bool, 256> seen{};
  std::size_t count = 0;
  for (const std::uint8_t byte : bytes) count += std::exchange(seen[byte], true) ? 0U : 1U;
  return count;
}

// How many bytes are looked at on each side of an edge, and how many values that are not random have at most: of random
// ones, 101 of 128 are expected, with a deviation of 4, and 162 of 256, with one of 5.
struct Edge {
  std::size_t size;
  std::size_t most;
};
constexpr Edge kSharp{128, 87};
constexpr Edge kBlunt{256, 146};

bool is_random_block(base::ByteSpan block) {
  if (block.size() < kForeignBlock || distinct(block.first(kSharp.size)) <= kSharp.most) return false;
  for (std::size_t i = 0; i < kForeignBlock; i += kNoisePiece) {
    if (!looks_random(block.subspan(i))) return false;
  }
  return true;
}

class ForeignBlocks {
 public:
  ForeignBlocks(Window& in, std::uint64_t begin, std::uint64_t end) : in_(in), begin_(begin), end_(end) {}

  // At the places of a piece of the contents; whether there is a run that stands out by sharp edges.
  bool look_at(Range piece, std::uint64_t place);
  // When all runs have blunt edges: whether nothing else looks random.
  bool only_runs_are_random();
  std::uint64_t first() const { return runs_.front().offset; }
  bool none() const { return runs_.empty(); }

 private:
  static constexpr std::size_t kMostRuns = 4096;

  bool stands_out(Range run, Edge edge);

  Window& in_;
  std::uint64_t begin_;
  std::uint64_t end_;
  std::vector<Range> runs_;  // in ascending order
};

bool ForeignBlocks::stands_out(Range run, Edge edge) {
  std::size_t sides = 0;
  const auto before = static_cast<std::size_t>(std::min<std::uint64_t>(run.offset - begin_, kNoisePiece));
  if (before >= edge.size) {
    const base::ByteSpan bytes = in_.at(run.offset - before, before);
    if (looks_random(bytes) || distinct(bytes.last(edge.size)) > edge.most) return false;
    ++sides;
  }
  const auto after = static_cast<std::size_t>(std::min<std::uint64_t>(end_ - run.end(), kNoisePiece));
  const base::ByteSpan bytes = in_.at(run.end(), after);
  if (bytes.size() >= edge.size) {
    if (looks_random(bytes) || distinct(bytes.first(edge.size)) > edge.most) return false;
    ++sides;
  }
  return sides > 0;
}

bool ForeignBlocks::look_at(Range piece, std::uint64_t place) {
  const std::uint64_t skip = (kForeignBlock - place % kForeignBlock) % kForeignBlock;
  for (std::uint64_t at = piece.offset + skip; at + kForeignBlock <= piece.end(); at += kForeignBlock) {
    if (!random_block(in_, at)) continue;
    Range run{at, kForeignBlock};
    while (run.end() + kForeignBlock <= piece.end() && random_block(in_, run.end())) run.size += kForeignBlock;
    at = run.end() - kForeignBlock;
    if (runs_.size() < kMostRuns) runs_.push_back(run);
    if (!stands_out(run, kSharp)) continue;
    runs_ = {run};
    return true;
  }
  return false;
}

bool ForeignBlocks::only_runs_are_random() {
  if (!std::ranges::all_of(runs_, [&](Range run) { return stands_out(run, kBlunt); })) return false;
  auto run = runs_.begin();
  std::size_t others = 0;
  for (std::uint64_t at = begin_; at + kNoisePiece <= end_; at += kNoisePiece) {
    if (run != runs_.end() && at >= run->end()) ++run;
    if (run != runs_.end() && at + kNoisePiece > run->offset) continue;
    if (looks_random(in_.at(at, kNoisePiece))) return false;
    ++others;
  }
  return others >= kForeignBlock / kNoisePiece;
}

}  // namespace

bool random_block(Window& in, std::uint64_t offset) { return is_random_block(in.at(offset, kForeignBlock)); }

std::optional<std::uint64_t> foreign_block(Window& contents, std::uint64_t begin, std::span<const Range> places) {
  std::uint64_t end = begin;
  for (const Range& place : places) end += place.size;
  end = std::min(end, contents.size());
  ForeignBlocks blocks(contents, begin, end);
  std::uint64_t at = begin;
  for (const Range& place : places) {
    const std::uint64_t size = std::min(place.size, end - std::min(at, end));
    if (blocks.look_at({at, size}, place.offset)) return blocks.first();
    at += place.size;
  }
  if (blocks.none() || !blocks.only_runs_are_random()) return std::nullopt;
  return blocks.first();
}

}  // namespace kura::detect
