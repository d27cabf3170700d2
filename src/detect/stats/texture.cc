#include "detect/stats/texture.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include "detect/stats/byte_counts.h"

namespace kura::detect {
namespace {

constexpr std::size_t kEdge = 256;         // bytes looked at on each side of an edge, of a column
constexpr unsigned kRandomDistinct = 140;  // of 256 random bytes, 162 values are expected, with a deviation of 5
constexpr unsigned kPlainDistinct = 110;
constexpr std::uint64_t kMostRuns = 4096;

constexpr std::size_t kPiece = 256U << 10;
constexpr std::size_t kMostPieces = 16;
constexpr std::size_t kCell = 16;

unsigned distinct(base::ByteSpan bytes) {
  std::array<bool, 256> seen{};
  for (const std::uint8_t byte : bytes) seen[byte] = true;
  return static_cast<unsigned>(std::ranges::count(seen, true));
}

// By its first bytes: of 128 random ones, 101 values are expected, with a deviation of 4.
constexpr std::size_t kSample = 128;
constexpr unsigned kPlainSample = 60;
bool is_plain_at_a_glance(base::ByteSpan block) {
  if (block.size() < kBlock) return false;
  const unsigned values = distinct(block.first(kSample));
  return values > 1 && values < kPlainSample;
}

bool is_uniform(base::ByteSpan bytes) {
  return std::ranges::all_of(bytes, [&](std::uint8_t byte) { return byte == bytes.front(); });
}

bool is_plain_edge(base::ByteSpan bytes) { return bytes.size() == kEdge && distinct(bytes) < kPlainDistinct; }
bool is_random_edge(base::ByteSpan bytes) { return bytes.size() == kEdge && distinct(bytes) >= kRandomDistinct; }
// What is put before or behind what is aligned by design. Silence is none.
bool is_padding_edge(base::ByteSpan bytes) {
  return is_uniform(bytes.last(kEdge / 4)) || is_uniform(bytes.first(kEdge / 4));
}

// On both sides of an offset: all bytes, or a column of them.
class Edge {
 public:
  Edge(Window& in, const std::optional<Column>& samples, std::uint64_t offset) : samples_(samples) {
    const std::uint64_t size = kEdge * (samples ? samples->step : 1);
    before_ = bytes_of(in, offset - std::min(offset, size), size);
    after_ = bytes_of(in, offset, size);
  }

  bool begins_noise() const { return is_plain(before_) && is_random_edge(after_); }
  bool ends_noise() const { return is_random_edge(before_) && is_plain(after_); }

 private:
  bool is_plain(base::ByteSpan bytes) const { return is_plain_edge(bytes) && (samples_ || !is_padding_edge(bytes)); }

  base::Bytes bytes_of(Window& in, std::uint64_t offset, std::uint64_t size) const {
    const base::ByteSpan all = in.at(offset, static_cast<std::size_t>(size));
    const std::size_t step = samples_ ? samples_->step : 1;
    const std::size_t begin = samples_ ? (samples_->first % step + step - offset % step) % step : 0;
    base::Bytes bytes;
    for (std::size_t i = begin; i < all.size(); i += step) bytes.push_back(all[i]);
    return bytes;
  }

  const std::optional<Column>& samples_;
  base::Bytes before_, after_;
};

// The edges of a run of blocks; of samples that end with it, the first one.
bool has_sharp_edges(Window& in, const std::optional<Column>& samples, const Range& run) {
  return Edge(in, samples, run.offset).begins_noise() &&
         ((samples && run.end() >= in.size()) || Edge(in, samples, run.end()).ends_noise());
}

// Of the cells whose numbers have the same rest modulo `period`, as many sums: the shares of rests that look random,
// when the others are plain beyond doubt.
std::optional<double> random_rests(base::ByteSpan piece, std::size_t period) {
  std::vector<ByteCounts> rests(period);
  for (std::size_t offset = 0; offset + kCell <= piece.size(); offset += kCell) {
    rests[offset / kCell % period].add(piece.subspan(offset, kCell));
  }
  std::size_t random = 0;
  std::size_t plain = 0;
  for (const ByteCounts& rest : rests) {
    const double chi = rest.chi_square();
    random += rest.looks_random() ? 1 : 0;
    plain += chi > 1000 ? 1 : 0;
  }
  if (random + plain < period || random == 0 || plain == 0) return std::nullopt;
  return static_cast<double>(random) / static_cast<double>(period);
}

// Random bytes in every block leave no value out; most plain blocks lack many.
bool may_be_interleaved(base::ByteSpan piece) {
  std::size_t rich = 0;
  std::size_t blocks = 0;
  for (std::size_t offset = 0; offset + kBlock <= piece.size(); offset += kBlock) {
    ++blocks;
    if (distinct(piece.subspan(offset, kBlock)) >= 240) ++rich;
  }
  return blocks > 0 && rich * 4 >= blocks * 3;
}

std::optional<double> interleaving_of(base::ByteSpan piece) {
  if (!may_be_interleaved(piece)) return std::nullopt;
  // 128 cells: all periods of 32 to 2048 bytes that are powers of two. 12 cells: 48, 96 and 192.
  for (const std::size_t period : {2U, 12U, 128U}) {
    if (piece.size() / kCell / period * kCell < 512) break;  // too few bytes for each rest
    if (const auto share = random_rests(piece, period)) return share;
  }
  return std::nullopt;
}

}  // namespace

void BlockSet::add(std::uint64_t block, std::uint64_t count) {
  if (count == 0) return;
  const auto last = static_cast<std::size_t>((block + count - 1) / 64);
  if (words_.size() <= last) words_.resize(last + 1);
  for (std::uint64_t end = block + count; block < end;) {
    const bool whole_word = block % 64 == 0 && end - block >= 64;
    words_[static_cast<std::size_t>(block / 64)] |= whole_word ? ~std::uint64_t{0} : std::uint64_t{1} << (block % 64);
    block += whole_word ? 64 : 1;
  }
}

std::uint64_t BlockSet::count() const {
  std::uint64_t count = 0;
  for (const std::uint64_t word : words_) count += static_cast<std::uint64_t>(std::popcount(word));
  return count;
}

BlockSet BlockSet::of_words(std::vector<std::uint64_t> words) {
  BlockSet set;
  while (!words.empty() && words.back() == 0) words.pop_back();
  set.words_ = std::move(words);
  return set;
}

void survey(Window& in, Range range, Texture& texture) {
  const std::uint64_t end = std::min(range.end(), in.size());
  std::uint64_t offset = (range.offset + kBlock - 1) / kBlock * kBlock;
  while (offset < end) {
    const base::ByteSpan block = in.at(offset, static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, end - offset)));
    // A short block counts where it is the file's last, not where the stretch ends in its middle.
    if (block.empty() || (block.size() < kBlock && end < in.size())) break;
    ++texture.blocks;
    if (!is_plain_at_a_glance(block)) {
      ByteCounts counts;
      counts.add(block);
      if (counts.looks_random()) texture.random.add(offset / kBlock);
      if (counts.distinct() == 1) ++texture.uniform;
    }
    offset += kBlock;
  }
}

Islands find_islands(Window& in, Range range, const Texture& texture, std::optional<Column> samples) {
  Islands islands;
  const std::uint64_t first = (range.offset + kBlock - 1) / kBlock;
  const bool ends_with_file = samples && range.end() >= in.size();
  const std::uint64_t last = (range.end() + (ends_with_file ? kBlock - 1 : 0)) / kBlock;
  for (std::uint64_t block = first + 1; block < last && islands.runs < kMostRuns; ++block) {
    if (!texture.random.has(block) || texture.random.has(block - 1)) continue;
    const std::uint64_t begin = block;
    while (block < last && texture.random.has(block)) ++block;
    if (block == last && !ends_with_file) break;
    ++islands.runs;
    if (has_sharp_edges(in, samples, {begin * kBlock, (block - begin) * kBlock})) ++islands.sharp;
  }
  return islands;
}

std::optional<double> find_interleaving(Window& in, Range range) {
  const std::uint64_t end = std::min(range.end(), in.size());
  if (range.offset >= end) return std::nullopt;
  const std::uint64_t pieces = std::min<std::uint64_t>(kMostPieces, (end - range.offset + kPiece - 1) / kPiece);
  const std::uint64_t stride = (end - range.offset) / pieces / kBlock * kBlock;
  for (std::uint64_t i = 0; i < pieces; ++i) {
    // From a multiple of a block on, since whoever alternates counts from the file's beginning.
    const std::uint64_t offset = (range.offset + i * stride + kBlock - 1) / kBlock * kBlock;
    if (offset >= end) break;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, end - offset));
    if (const auto share = interleaving_of(in.at(offset, size))) return share;
  }
  return std::nullopt;
}

}  // namespace kura::detect
