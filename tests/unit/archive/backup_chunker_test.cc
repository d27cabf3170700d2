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

// The bits of the hashes at the end of `window` that say whether there is a cut, with `bits` of them to be zero.
bool is_cut_by_definition(const ChunkerParameters& parameters, const GearTable& table, base::ByteSpan window,
                          int bits) {
  std::uint64_t gear = 0;
  std::uint16_t scanned = 0;
  for (const std::uint8_t byte : window) {
    gear = (gear << 1) + table[byte];
    const std::uint64_t of_byte = table[byte >> 4] ^ table[16 + (byte & 15)];
    scanned = static_cast<std::uint16_t>((scanned << 1) + static_cast<std::uint16_t>(of_byte));
  }
  int scanned_bits = 0;
  if (parameters.algorithm == kScannedChunks) {
    scanned_bits = std::clamp(std::countr_zero(parameters.average) - parameters.normalisation, 1, 12);
  }
  const int gear_bits = bits - scanned_bits;
  return (scanned & ~(0xffff >> scanned_bits)) == 0 && (gear_bits <= 0 || gear >> (64 - gear_bits) == 0);
}

// The definition in the header, byte by byte.
std::vector<std::size_t> cuts_by_definition(const ChunkerParameters& parameters, const GearTable& table,
                                            const base::Bytes& stream) {
  const auto ends_here = [&](std::size_t begin, std::size_t end) {
    const std::size_t size = end - begin;
    if (end == stream.size() || size == parameters.most) return true;
    if (size <= parameters.least) return false;
    const std::size_t window = std::min<std::size_t>(size, 64);
    const int bits = std::countr_zero(parameters.average) +
                     (size <= parameters.average ? parameters.normalisation : -parameters.normalisation);
    return is_cut_by_definition(parameters, table, base::ByteSpan(stream).subspan(end - window, window), bits);
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

// What this processor can run.
std::vector<WindowScan::Code> codes() {
  std::vector<WindowScan::Code> codes{WindowScan::Code::kScalar};
  if (WindowScan::best() >= WindowScan::Code::kAvx2) codes.push_back(WindowScan::Code::kAvx2);
  if (WindowScan::best() >= WindowScan::Code::kAvx512) codes.push_back(WindowScan::Code::kAvx512);
  return codes;
}

// Noise, and stretches of one byte or of a short pattern, where hashes repeat.
base::Bytes arbitrary_stream(std::size_t size) {
  base::Bytes stream = noise(size, *rc::gen::arbitrary<std::uint64_t>());
  const auto stretches = *rc::gen::container<std::vector<std::tuple<std::uint32_t, std::uint16_t, std::uint8_t>>>(
      rc::gen::tuple(rc::gen::arbitrary<std::uint32_t>(), rc::gen::arbitrary<std::uint16_t>(),
                     rc::gen::inRange<std::uint8_t>(1, 40)));
  for (const auto& [place, length, period] : stretches) {
    const std::size_t begin = place % size;
    for (std::size_t at = begin + period; at < std::min(size, begin + length); ++at) stream[at] = stream[at - period];
  }
  return stream;
}

RC_GTEST_PROP(Chunker, TheCutsAreThoseOfTheDefinitionWhateverTheProcessor, ()) {
  ChunkerParameters parameters =
      *rc::gen::element(kSmall, ChunkerParameters{.least = 1000, .average = 8192, .most = 30'000},
                        ChunkerParameters{.least = 1, .average = 16384, .most = 60'000},
                        ChunkerParameters{.normalisation = 4, .least = 1, .average = 16, .most = 300},
                        ChunkerParameters{.normalisation = 0, .least = 30, .average = 65536, .most = 100'000});
  parameters.algorithm = *rc::gen::element(kGearChunks, kScannedChunks);
  const auto table = gear(*rc::gen::arbitrary<std::uint8_t>());
  const auto stream = arbitrary_stream(*rc::gen::inRange<std::size_t>(1, 120'000));
  const auto sizes =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 30'000)));
  const auto expected = cuts_by_definition(parameters, table, stream);
  for (const WindowScan::Code code : codes()) {
    RC_ASSERT(cuts(Chunker(parameters, table, code), stream, sizes) == expected);
  }
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

// A table that gives every byte the same hash: each place is wanted, or none is.
RC_GTEST_PROP(Chunker, HashesThatAreAllAlikeAreCutAsDefinedToo, ()) {
  GearTable table{};
  table.fill(*rc::gen::element<std::uint64_t>(0, 1, 0x10001, ~std::uint64_t{0}));
  const base::Bytes stream(*rc::gen::inRange<std::size_t>(1, 20'000), *rc::gen::arbitrary<std::uint8_t>());
  const auto expected = cuts_by_definition(kSmall, table, stream);
  for (const WindowScan::Code code : codes()) {
    RC_ASSERT(cuts(Chunker(kSmall, table, code), stream, {stream.size()}) == expected);
  }
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
