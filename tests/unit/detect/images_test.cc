#include <algorithm>

#include <gtest/gtest.h>

#include "detect/codec/inflate.h"
#include "detect/images/images_kinds.h"
#include "support/detect/media_damage.h"

namespace kura::detect::images_test {
namespace {

using namespace media_damage;

const Kind& image(std::string_view name) { return kind_in(images_kinds(), name); }

void put(base::Bytes& to, std::string_view bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
void put32(base::Bytes& to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::uint8_t>(value >> shift));
}

void put_chunk(base::Bytes& png, std::string_view type, const base::Bytes& body) {
  put32(png, static_cast<std::uint32_t>(body.size()));
  const std::size_t begin = png.size();
  put(png, type);
  png.insert(png.end(), body.begin(), body.end());
  put32(png, crc32(base::ByteSpan(png).subspan(begin)));
}

base::Bytes a_png() {
  base::Bytes png;
  put(png, "\x89PNG\r\n\x1A\n");
  put_chunk(png, "IHDR", base::Bytes(13, 1));
  for (int i = 0; i < 3; ++i) put_chunk(png, "IDAT", with_random(base::Bytes(8192), 0, 8192));
  put_chunk(png, "IEND", {});
  return png;
}

TEST(Png, AWholeFileIsWhole) { EXPECT_EQ(judged(image("png"), a_png()).finding, Finding::kWhole); }

TEST(Png, AFlippedByteInAnyChunkIsFound) {
  const base::Bytes png = a_png();
  for (std::size_t i = 8; i < png.size(); i += 97) {
    base::Bytes damaged = png;
    damaged[i] ^= 0x20;
    EXPECT_EQ(judged(image("png"), damaged).finding, Finding::kBroken) << i;
  }
}

TEST(Png, CutShortIsFound) {
  base::Bytes png = a_png();
  png.resize(png.size() - 5);
  EXPECT_EQ(judged(image("png"), png).finding, Finding::kBroken);
}

// A grey picture of `blocks` x `blocks` blocks, every one of them black: a DC of no bits and an end of block, a bit
// each.
base::Bytes a_jpeg(unsigned blocks, base::Bytes scan) {
  base::Bytes jpeg;
  put(jpeg, "\xFF\xD8");
  const auto size = static_cast<std::uint8_t>(blocks * 8);
  const base::Bytes frame = {0xFF, 0xC0, 0, 11, 8, 0, size, 0, size, 1, 1, 0x11, 0};
  jpeg.insert(jpeg.end(), frame.begin(), frame.end());
  for (const std::uint8_t table : base::Bytes{0x00, 0x10}) {
    const base::Bytes huffman = {0xFF, 0xC4, 0, 20, table, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    jpeg.insert(jpeg.end(), huffman.begin(), huffman.end());
  }
  put(jpeg, std::string_view("\xFF\xDA\0\x08\1\1\0\0\x3F\0", 10));
  jpeg.insert(jpeg.end(), scan.begin(), scan.end());
  put(jpeg, "\xFF\xD9");
  return jpeg;
}

TEST(Jpeg, CodesThatEndWithTheLastBlockAreWhole) {
  EXPECT_EQ(judged(image("jpeg"), a_jpeg(4, base::Bytes(4, 0))).finding, Finding::kWhole);
}

TEST(Jpeg, CodesThatEndBeforeTheLastBlockAreFound) {
  const Report report = judged(image("jpeg"), a_jpeg(16, base::Bytes(4, 0)));
  EXPECT_EQ(report.finding, Finding::kBroken);
  EXPECT_EQ(report.evidence, "the picture's codes end early");
}

TEST(Jpeg, CodesThatGoOnAfterTheLastBlockAreFound) {
  EXPECT_EQ(judged(image("jpeg"), a_jpeg(4, base::Bytes(4096, 0))).finding, Finding::kBroken);
}

TEST(Jpeg, BitsThatAreNoCodeAreFound) {
  EXPECT_EQ(judged(image("jpeg"), a_jpeg(4, base::Bytes(4, 0x55))).finding, Finding::kBroken);
}

TEST(Jpeg, RestartMarkersWithoutAnIntervalAreFound) {
  EXPECT_EQ(judged(image("jpeg"), a_jpeg(4, {0, 0, 0xFF, 0xD0, 0, 0})).finding, Finding::kBroken);
}

TEST(Jpeg, RandomBytesInAScanAreFound) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const base::Bytes scan = with_random(base::Bytes(4096), 0, 4096, seed);
    EXPECT_EQ(judged(image("jpeg"), a_jpeg(30, scan)).finding, Finding::kBroken) << seed;
  }
}

TEST(Gif, ACodeThatStandsForNothingIsFound) {
  base::Bytes gif;
  put(gif, std::string_view("GIF89a\2\0\2\0\0\0\0\x2C\0\0\0\0\2\0\2\0\0\2", 24));
  base::Bytes whole = gif;
  put(whole, std::string_view("\3\x04\0\x05\0\x3B", 6));  // clear, four pixels of colour 0, end
  EXPECT_EQ(judged(image("gif"), whole).finding, Finding::kWhole) << judged(image("gif"), whole).evidence;
  put(gif, std::string_view("\2\xFC\x7F\0\x3B", 5));
  EXPECT_EQ(judged(image("gif"), gif).finding, Finding::kBroken);
}

TEST(Gif, ATrailerMayBeLeftOutBehindAPictureAndNowhereElse) {
  base::Bytes gif;
  put(gif, std::string_view("GIF89a\2\0\2\0\0\0\0\x2C\0\0\0\0\2\0\2\0\0\2\3\x04\0\x05\0", 29));
  EXPECT_EQ(judged(image("gif"), gif).finding, Finding::kWhole);
  gif.pop_back();
  EXPECT_EQ(judged(image("gif"), gif).finding, Finding::kBroken);
  gif.resize(13);
  EXPECT_EQ(judged(image("gif"), gif).finding, Finding::kBroken);
}

TEST(Icns, PicturesHaveToFillTheFile) {
  base::Bytes icons;
  put(icons, std::string_view("icns\0\0\0\x22ic07\0\0\0\x0d", 16));
  put(icons, "12345ic08");
  put(icons, std::string_view("\0\0\0\x0d", 4));
  put(icons, "12345");
  EXPECT_EQ(judged(image("icns"), icons).finding, Finding::kWhole);
  icons[15] = 0x0e;
  EXPECT_EQ(judged(image("icns"), icons).finding, Finding::kBroken);
  icons[15] = 0x0d;
  icons.pop_back();
  EXPECT_EQ(judged(image("icns"), icons).finding, Finding::kBroken);
}

// One table of 360 bytes, packed by Brotli (of Google's library: "Kuramori " 40 times).
base::Bytes a_woff2() {
  const base::Bytes packed = base::from_hex("1b6701f81da9559f3ab85aaa4bb936900c4b7b0bde828119f20a").value();
  base::Bytes font;
  put(font, std::string_view("wOF2\0\1\0\0", 8));
  put32(font, static_cast<std::uint32_t>(51 + packed.size()));
  put32(font, 1U << 16);  // one table, and what is reserved
  put32(font, 400);
  put32(font, static_cast<std::uint32_t>(packed.size()));
  font.resize(48);
  put(font, "\x05\x82\x68");  // the sixth known tag, its length in base 128
  font.insert(font.end(), packed.begin(), packed.end());
  return font;
}

TEST(Woff2, AWholeFontIsWhole) {
  EXPECT_EQ(judged(image("woff2"), a_woff2()).evidence, "");
  EXPECT_EQ(judged(image("woff2"), a_woff2()).finding, Finding::kWhole);
}

TEST(Woff2, TablesThatDoNotUnpackToWhatTheDirectorySaysAreFound) {
  base::Bytes font = a_woff2();
  font[50] ^= 1;
  EXPECT_EQ(judged(image("woff2"), font).finding, Finding::kBroken);
  EXPECT_EQ(judged(image("woff2"), with_random(a_woff2(), 55, 77)).finding, Finding::kBroken);
  font = a_woff2();
  font[48] |= 63;  // a tag of four bytes would follow
  EXPECT_EQ(judged(image("woff2"), font).finding, Finding::kBroken);
}

TEST(Jpeg2000, ABlockOfNoiseAnywhereInTheCodedDataIsFound) {
  const base::Bytes file = contents(seeds("images").front().parent_path() / "small.j2k");
  const Kind& kind = image("jpeg 2000");
  for (std::size_t at = 200; at + 1500 < file.size(); at += 100) {
    EXPECT_EQ(judged(kind, with_random(file, at, at + 1500)).finding, Finding::kBroken) << at;
  }
}

TEST(Netpbm, APictureThatIsShorterThanItsHeaderSaysIsFound) {
  base::Bytes picture;
  put(picture, "P5\n# by hand\n4 4\n255\n0123456789abcdef");
  EXPECT_EQ(judged(image("netpbm"), picture).finding, Finding::kWhole);
  picture.pop_back();
  EXPECT_EQ(judged(image("netpbm"), picture).finding, Finding::kBroken);
}

TEST(Images, SmallRealFilesAreWholeAndTheirDamageIsFoundOrTold) {
  for (const auto& path : seeds("images")) {
    const base::Bytes file = contents(path);
    MemoryInput input(file);
    Window window(input);
    const auto kind = std::ranges::find_if(images_kinds(), [&](const Kind& each) { return each.recognise(window); });
    ASSERT_NE(kind, images_kinds().end()) << path;
    EXPECT_EQ(judged(*kind, file).finding, Finding::kWhole) << path << judged(*kind, file).evidence;
    const base::Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(file.size() / 2));
    EXPECT_NE(judged(*kind, cut).finding, Finding::kWhole) << path;
    const std::size_t half = file.size() / 2;
    EXPECT_TRUE(found_or_told(*kind, with_random(file, half, file.size()), half, file.size())) << path;
  }
}

}  // namespace
}  // namespace kura::detect::images_test
