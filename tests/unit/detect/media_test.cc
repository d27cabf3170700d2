#include <algorithm>

#include <gtest/gtest.h>

#include "detect/media/media_kinds.h"
#include "support/detect/media_damage.h"

namespace kura::detect::media_test {
namespace {

using namespace media_damage;

const Kind& medium(std::string_view name) { return kind_in(media_kinds(), name); }

// Frames of 417 bytes: version 1, layer III, 128 kbit/s, 44.1 kHz.
base::Bytes an_mp3(std::size_t frames) {
  base::Bytes mp3;
  for (std::size_t i = 0; i < frames; ++i) {
    mp3.insert(mp3.end(), {0xFF, 0xFB, 0x90, 0x00});
    mp3.resize(417 * (i + 1), 0x55);
  }
  return mp3;
}

TEST(Mp3, RandomBytesAnywhereAreFound) {
  const base::Bytes mp3 = an_mp3(100);
  EXPECT_EQ(judged(medium("mp3"), mp3).finding, Finding::kWhole);
  for (std::size_t at = 4096; at + 4096 < mp3.size(); at += 4096) {
    EXPECT_EQ(judged(medium("mp3"), with_random(mp3, at, 4096)).finding, Finding::kBroken) << at;
  }
}

TEST(Mp3, ATagAtTheEndIsNoDamage) {
  base::Bytes mp3 = an_mp3(10);
  mp3.insert(mp3.end(), {'T', 'A', 'G'});
  mp3.resize(mp3.size() + 125);
  EXPECT_EQ(judged(medium("mp3"), mp3).finding, Finding::kWhole);
}

TEST(Mp3, ATagBeforeOtherSoundsOrNothingIsNone) {
  base::Bytes tagged = {'I', 'D', '3', 4, 0, 0, 0, 0, 0, 20};
  tagged.resize(30);
  const auto is_mp3 = [](const base::Bytes& bytes) {
    MemoryInput input(bytes);
    Window window(input);
    return medium("mp3").recognise(window);
  };
  EXPECT_FALSE(is_mp3(tagged));
  for (const char* mark : {"TTA1", "MAC ", "fLaC"}) {
    base::Bytes other = tagged;
    other.insert(other.end(), mark, mark + 4);
    other.resize(2000, 0x55);
    EXPECT_FALSE(is_mp3(other)) << mark;
  }
  tagged.resize(2000, 0x55);
  EXPECT_TRUE(is_mp3(tagged));
}

TEST(SunAudio, SamplesAreAPlainStretchUpToTheSizeInTheHeader) {
  base::Bytes sound = base::from_hex("2e736e640000001c000000080000000300001f400000000100000000").value();
  sound.resize(28 + 8, 1);
  const Report report = judged(medium("au"), sound);
  EXPECT_EQ(report.finding, Finding::kWhole);
  EXPECT_EQ(report.stretches, (std::vector<Stretch>{{{28, 8}, Density::kPlain, Samples{2, 0}}}));
  sound.pop_back();
  EXPECT_EQ(judged(medium("au"), sound).finding, Finding::kBroken);
}

TEST(Wave, SamplesAreAPlainStretch) {
  base::Bytes wave(44 + 1000);
  const std::string_view head(
      "RIFF\x0C\4\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1F\0\0\x80\x3E\0\0\2\0\x10\0data\xE8\3\0\0", 44);
  std::ranges::copy(head, wave.begin());
  const Report report = judged(medium("wav"), wave);
  EXPECT_EQ(report.finding, Finding::kWhole);
  EXPECT_EQ(report.stretches, (std::vector<Stretch>{{{44, 1000}, Density::kPlain, Samples{2, 1}}}));
  wave.resize(500);
  EXPECT_EQ(judged(medium("wav"), wave).finding, Finding::kBroken);
}

TEST(Mp4, LengthsThatLieEnd) {
  base::Bytes file(64);
  const std::string_view head(
      "\0\0\0\x10"
      "ftypisom\0\0\0\0\0\0\0\1"
      "moov\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
      32);
  std::ranges::copy(head, file.begin());
  EXPECT_EQ(judged(medium("mp4"), file).finding, Finding::kBroken);
}

TEST(Media, SmallRealFilesAreWholeAndTheirDamageIsFoundOrTold) {
  for (const auto& path : seeds("media")) {
    const base::Bytes file = contents(path);
    MemoryInput input(file);
    Window window(input);
    const auto kind = std::ranges::find_if(media_kinds(), [&](const Kind& each) { return each.recognise(window); });
    ASSERT_NE(kind, media_kinds().end()) << path;
    EXPECT_EQ(judged(*kind, file).finding, Finding::kWhole) << path << judged(*kind, file).evidence;
    const base::Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(file.size() / 2));
    // These have no end that could be missed.
    const std::string ending = path.extension();
    if (ending != ".aac" && ending != ".mp3" && ending != ".ts")
      EXPECT_NE(judged(*kind, cut).finding, Finding::kWhole) << path;
    const std::size_t half = file.size() / 2;
    EXPECT_TRUE(found_or_told(*kind, with_random(file, half, file.size()), half, file.size())) << path;
  }
}

}  // namespace
}  // namespace kura::detect::media_test
