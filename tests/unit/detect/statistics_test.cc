#include <random>

#include <gtest/gtest.h>

#include "detect/stats/byte_counts.h"
#include "detect/stats/texture.h"

namespace kura::detect {
namespace {

base::Bytes random_bytes(std::size_t size, unsigned seed) {
  std::mt19937_64 engine(seed);
  base::Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine());
  return bytes;
}

// Records of 32 bytes, as a program's data files have them: few values, some of all.
base::Bytes record_bytes(std::size_t size, unsigned seed) {
  std::mt19937_64 engine(seed);
  base::Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = i % 32 < 4 ? static_cast<std::uint8_t>(engine() % 64) : i % 7 == 0;
  return bytes;
}

Texture texture_of(const base::Bytes& bytes) {
  MemoryInput input(bytes);
  Window window(input);
  Texture texture;
  survey(window, {0, bytes.size()}, texture);
  return texture;
}

TEST(ByteCounts, RandomBytesLookRandomAtAnySizeFrom256On) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    for (const std::size_t size : {256U, 1000U, 4096U, 65536U}) {
      ByteCounts counts;
      counts.add(random_bytes(size, seed));
      EXPECT_TRUE(counts.looks_random()) << seed << " " << size << " " << counts.chi_square();
    }
  }
}

TEST(ByteCounts, RecordsNeverLookRandom) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    ByteCounts counts;
    counts.add(record_bytes(4096, seed));
    EXPECT_FALSE(counts.looks_random());
  }
}

TEST(ByteCounts, EqualBytesDoNotLookRandom) {
  ByteCounts counts;
  counts.add(base::Bytes(4096, 7));
  EXPECT_FALSE(counts.looks_random());
  EXPECT_EQ(counts.distinct(), 1U);
}

TEST(BlockSet, HasWhatWasAddedInRuns) {
  BlockSet set;
  set.add(3, 200);
  set.add(500);
  for (std::uint64_t block = 0; block < 600; ++block) {
    EXPECT_EQ(set.has(block), (block >= 3 && block < 203) || block == 500) << block;
  }
  EXPECT_EQ(set.count(), 201U);
}

TEST(Texture, SeesWhichBlocksBecameRandom) {
  base::Bytes file = record_bytes(64 * kBlock, 1);
  EXPECT_EQ(texture_of(file).random_count(), 0U);
  const base::Bytes noise = random_bytes(kBlock, 2);
  std::ranges::copy(noise, file.begin() + 5 * kBlock);
  const Texture texture = texture_of(file);
  EXPECT_EQ(texture.random_count(), 1U);
  EXPECT_TRUE(texture.random.has(5));
  EXPECT_EQ(texture.blocks, 64U);
}

// One block in sixteen, as sparse encryption leaves it; and data that are compressed by design, which begin anywhere.
TEST(Texture, TellsIslandsOfWholeBlocksFromWhatBeginsAnywhere) {
  for (const std::size_t shift : {std::size_t{0}, std::size_t{1234}}) {
    base::Bytes file = record_bytes(128 * kBlock, 3);
    for (std::size_t block = 8; block < 120; block += 16) {
      const base::Bytes noise = random_bytes(2 * kBlock, static_cast<unsigned>(block));
      std::ranges::copy(noise, file.begin() + static_cast<std::ptrdiff_t>(block * kBlock + shift));
    }
    MemoryInput input(file);
    Window window(input);
    const Islands islands = find_islands(window, {0, file.size()}, texture_of(file));
    EXPECT_EQ(islands.runs, 7U);
    EXPECT_EQ(islands.sharp, shift == 0 ? 7U : 0U);
  }
}

// Loud noise of 16 bits: its lower bytes look random, its higher ones do not, and silence is all zeros.
TEST(Texture, OneBlockAmongSamplesIsSeenByTheirHigherBytes) {
  for (const int loudness : {0, 1 << 9, 1 << 13}) {
    for (const bool is_shifted : {false, true}) {
      base::Bytes sound = random_bytes(32 * kBlock, 10);
      for (std::size_t i = 0; i + 1 < sound.size(); i += 2) {
        const int value = loudness == 0 ? 0 : (sound[i] * 256 + sound[i + 1]) % (2 * loudness) - loudness;
        sound[i] = static_cast<std::uint8_t>(value & 255);
        sound[i + 1] = static_cast<std::uint8_t>(value >> 8 & 255);
      }
      base::Bytes hit = sound;
      std::ranges::copy(random_bytes(kBlock, 11), hit.begin() + 16 * kBlock + (is_shifted ? 700 : 0));
      const auto sharp_in = [](const base::Bytes& file) {
        MemoryInput input(file);
        Window window(input);
        return find_islands(window, {44, file.size() - 44}, texture_of(file), Column{2, 45}).sharp;
      };
      EXPECT_EQ(sharp_in(sound), 0U) << loudness;
      EXPECT_EQ(sharp_in(hit), is_shifted ? 0U : 1U) << loudness;
    }
  }
}

TEST(Texture, FindsPiecesThatAlternate) {
  const base::Bytes noise = random_bytes(256U << 10, 4);
  struct Pattern {
    std::size_t encrypted, period;
  };
  for (const Pattern pattern : {Pattern{16, 32}, Pattern{64, 192}, Pattern{64, 128}, Pattern{16, 48}}) {
    base::Bytes file = record_bytes(noise.size(), 5);
    for (std::size_t i = 0; i < file.size(); ++i) {
      if (i % pattern.period < pattern.encrypted) file[i] = noise[i];
    }
    MemoryInput input(file);
    Window window(input);
    const auto share = find_interleaving(window, {0, file.size()});
    ASSERT_TRUE(share.has_value()) << pattern.encrypted << "/" << pattern.period;
    EXPECT_NEAR(*share, static_cast<double>(pattern.encrypted) / static_cast<double>(pattern.period), 0.01);
  }
}

TEST(Texture, LooksForAlternationInTheRangeAlone) {
  const base::Bytes noise = random_bytes(256U << 10, 8);
  base::Bytes file = record_bytes(noise.size(), 9);
  for (std::size_t i = 64U << 10; i < file.size(); ++i) {
    if (i % 32 < 16) file[i] = noise[i];
  }
  MemoryInput input(file);
  Window window(input);
  EXPECT_FALSE(find_interleaving(window, {0, 64U << 10}).has_value());
  EXPECT_TRUE(find_interleaving(window, {(64U << 10) + 1000, 64U << 10}).has_value());
}

TEST(Texture, FindsNoAlternationInRecordsOrInNoise) {
  for (const base::Bytes& file : {record_bytes(256U << 10, 6), random_bytes(256U << 10, 7)}) {
    MemoryInput input(file);
    Window window(input);
    EXPECT_FALSE(find_interleaving(window, {0, file.size()}).has_value());
  }
}

}  // namespace
}  // namespace kura::detect
