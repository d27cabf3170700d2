#include <algorithm>
#include <bit>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "archive/backup/chunker.h"
#include "archive/repo/secrets.h"

namespace kura::archive {
namespace {

constexpr ChunkerParameters kSmall{.least = 256, .average = 1024, .most = 4096};

GearTable gear(std::uint8_t key) {
  return WriteSecrets::derive(base::Key(base::Bytes(32, key)), RepositoryId{}).gear_table(RepositoryId{});
}

base::Bytes noise(std::size_t size, std::uint64_t seed) {
  base::Bytes bytes(size);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>((seed = seed * 6364136223846793005ULL + 1442695040888963407ULL) >> 56);
  return bytes;
}

// The ends of all chunks, when the stream comes in pieces of `sizes` (over and over).
std::vector<std::size_t> cuts(const Chunker& chunker, base::ByteSpan stream, const std::vector<std::size_t>& sizes) {
  std::vector<std::size_t> ends;
  std::size_t begin = 0, fed = 0, turn = 0;
  Chunker::Search search;
  while (begin < stream.size()) {
    const auto cut = chunker.next_cut(stream.subspan(begin, fed - begin), fed == stream.size(), search);
    if (cut) {
      begin += *cut;
      ends.push_back(begin);
      search = {};
    } else {
      fed = std::min(stream.size(), fed + sizes[turn++ % sizes.size()]);
    }
  }
  return ends;
}

RC_GTEST_PROP(Chunker, CutsDoNotDependOnHowTheStreamIsFed, ()) {
  const Chunker chunker(kSmall, gear(1));
  const auto stream = noise(*rc::gen::inRange<std::size_t>(1, 60'000), *rc::gen::arbitrary<std::uint64_t>());
  const auto sizes =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 9000)));
  RC_ASSERT(cuts(chunker, stream, sizes) == cuts(chunker, stream, {stream.size()}));
}

// The definition in the header, byte by byte.
std::vector<std::size_t> cuts_by_definition(const ChunkerParameters& parameters, const GearTable& table,
                                            const base::Bytes& stream) {
  const auto ends_here = [&](std::size_t begin, std::size_t end) {
    const std::size_t size = end - begin;
    if (end == stream.size() || size == parameters.most) return true;
    if (size <= parameters.least) return false;
    std::uint64_t hash = 0;
    for (std::size_t at = end - std::min<std::size_t>(size, 64); at < end; ++at) hash = (hash << 1) + table[stream[at]];
    const int bits = std::countr_zero(parameters.average) +
                     (size <= parameters.average ? parameters.normalisation : -parameters.normalisation);
    return hash >> (64 - bits) == 0;
  };
  std::vector<std::size_t> ends;
  std::size_t begin = 0;
  for (std::size_t end = 1; end <= stream.size(); ++end) {
    if (!ends_here(begin, end)) continue;
    ends.push_back(end);
    begin = end;
  }
  return ends;
}

RC_GTEST_PROP(Chunker, TheCutsAreThoseOfTheDefinition, ()) {
  const ChunkerParameters parameters =
      *rc::gen::element(kSmall, ChunkerParameters{.least = 1000, .average = 8192, .most = 30'000},
                        ChunkerParameters{.least = 1, .average = 16384, .most = 60'000});
  const auto stream = noise(*rc::gen::inRange<std::size_t>(1, 120'000), *rc::gen::arbitrary<std::uint64_t>());
  const auto sizes =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 30'000)));
  const Chunker chunker(parameters, gear(1));
  RC_ASSERT(cuts(chunker, stream, sizes) == cuts_by_definition(parameters, gear(1), stream));
}

RC_GTEST_PROP(Chunker, SizesKeepTheirBounds, ()) {
  const Chunker chunker(kSmall, gear(1));
  const auto stream = noise(*rc::gen::inRange<std::size_t>(1, 60'000), *rc::gen::arbitrary<std::uint64_t>());
  std::size_t begin = 0;
  for (const std::size_t end : cuts(chunker, stream, {stream.size()})) {
    RC_ASSERT(end - begin <= kSmall.most);
    RC_ASSERT(end - begin >= kSmall.least || end == stream.size());
    begin = end;
  }
  RC_ASSERT(begin == stream.size());
}

TEST(Chunker, ChunksAreAboutAsLargeAsAsked) {
  const Chunker chunker(kSmall, gear(1));
  const auto stream = noise(4 << 20, 7);
  const double average =
      static_cast<double>(stream.size()) / static_cast<double>(cuts(chunker, stream, {stream.size()}).size());
  EXPECT_GT(average, 0.8 * kSmall.average);
  EXPECT_LT(average, 1.6 * kSmall.average);
}

TEST(Chunker, TwoRepositoriesCutTheSameBytesDifferently) {
  const auto stream = noise(1 << 20, 7);
  const auto a = cuts(Chunker(kSmall, gear(1)), stream, {stream.size()});
  const auto b = cuts(Chunker(kSmall, gear(2)), stream, {stream.size()});
  std::vector<std::size_t> common;
  std::ranges::set_intersection(a, b, std::back_inserter(common));
  EXPECT_LT(common.size(), a.size() / 20);
}

TEST(Chunker, AnInsertionMovesOnlyTheCutsNearIt) {
  const Chunker chunker(kSmall, gear(1));
  auto stream = noise(1 << 20, 7);
  const auto before = cuts(chunker, stream, {stream.size()});
  const std::size_t place = stream.size() / 2;
  stream.insert(stream.begin() + static_cast<std::ptrdiff_t>(place), 100, 0x55);
  const auto after = cuts(chunker, stream, {stream.size()});
  std::set<std::size_t> moved_back;
  for (const std::size_t end : after) moved_back.insert(end <= place ? end : end - 100);
  const auto lost = std::ranges::count_if(before, [&](std::size_t end) { return !moved_back.contains(end); });
  EXPECT_LE(lost, 8);
}

TEST(Chunker, AStreamOfOneByteIsCutAtTheMost) {
  const Chunker chunker(kSmall, gear(1));
  const base::Bytes zeros(3 * kSmall.most + 5, 0);
  const auto ends = cuts(chunker, zeros, {zeros.size()});
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) EXPECT_EQ(ends[i] % ends[0], 0U);
  EXPECT_EQ(ends.back(), zeros.size());
}

}  // namespace
}  // namespace kura::archive
