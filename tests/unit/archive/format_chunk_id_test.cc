#include <gtest/gtest.h>

#include "archive/format/chunk_id.h"
#include "support/archive/format_samples.h"

namespace kura::archive {
namespace {

base::Bytes sample_text(std::size_t size) {
  base::Bytes text(size);
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<std::uint8_t>(i * i + i / 251);
  return text;
}

// Computed by Python's hmac and hashlib from docs/format.md, section 5.
TEST(ChunkIdTest, OfPiecesIsWhatThePageOnTheFormatSays) {
  ChunkNamer namer(test::key_of(7), ChunkNaming::kPieces);
  const std::pair<std::size_t, std::string_view> known[] = {
      {1, "2df3c1d22e6643372c01e3fbadb6f5366295d3de62d792850b57bfd37af67660"},
      {4096, "8f15f636521bf743d4ff68b556fd69bd0ed3010212da70ddf7a21a8215c6ede2"},
      {4097, "7ccec9a9eeecd907ac64578f8773674bb610f1b026fc68372c5d3ec63187dc4a"},
      {20000, "f0534ccebb817f6c52060346abbde02f1689a6c5b2c1387a061c7a4670e5c72b"},
      {100000, "53a35cea5837a7f8df9d3b8f6bc5afe4f8ea914f3077319a0b5aa01513c5d5c6"}};
  for (const auto& [size, id] : known) EXPECT_EQ(namer.name(Content::kFile, sample_text(size)).hex(), id) << size;
}

TEST(ChunkIdTest, DiffersByContentAndByWayOfNaming) {
  const base::Bytes text = sample_text(5000);
  ChunkNamer pieces(test::key_of(7), ChunkNaming::kPieces), whole(test::key_of(7), ChunkNaming::kWhole);
  EXPECT_NE(pieces.name(Content::kFile, text), pieces.name(Content::kListing, text));
  EXPECT_NE(pieces.name(Content::kFile, text), whole.name(Content::kFile, text));
  const base::ByteSpan small = base::ByteSpan(text).first(4096);
  EXPECT_EQ(pieces.name(Content::kFile, small), whole.name(Content::kFile, small));
}

}  // namespace
}  // namespace kura::archive
