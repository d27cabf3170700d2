#include "detect/documents/cfb.h"

#include <random>

#include <gtest/gtest.h>

namespace kura::detect::cfb_test {
namespace {

void put(base::Bytes& file, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) file[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
}

void entry(base::Bytes& file, std::size_t at, std::string_view name, int type, std::uint32_t child, std::uint32_t start,
           std::uint32_t size) {
  for (std::size_t i = 0; i < name.size(); ++i) put(file, at + 2 * i, static_cast<std::uint8_t>(name[i]), 2);
  put(file, at + 64, 2 * name.size() + 2, 2);
  file[at + 66] = static_cast<std::uint8_t>(type);
  file[at + 67] = 1;
  put(file, at + 68, 0xFFFFFFFF, 4);
  put(file, at + 72, 0xFFFFFFFF, 4);
  put(file, at + 76, child, 4);
  put(file, at + 116, start, 4);
  put(file, at + 120, size, 4);
}

// Sector 0 is the allocation table, 1 the directory, the workbook lies in 2 to 41.
constexpr std::size_t kSectors = 40;

// A file with one stream of `sectors` sectors, and free ones behind it.
base::Bytes compound(std::string_view name, std::size_t sectors) {
  base::Bytes file(512 * (3 + kSectors));
  const base::Bytes magic = base::from_hex("d0cf11e0a1b11ae1").value();
  std::ranges::copy(magic, file.begin());
  put(file, 24, 0x0003003E, 4);
  put(file, 28, 0x0009FFFE, 4);
  put(file, 32, 6, 2);
  put(file, 44, 1, 4);
  put(file, 48, 1, 4);
  put(file, 56, 4096, 4);
  put(file, 60, 0xFFFFFFFE, 4);
  put(file, 68, 0xFFFFFFFE, 4);
  for (std::size_t i = 0; i < 109; ++i) put(file, 76 + 4 * i, i == 0 ? 0 : 0xFFFFFFFF, 4);
  for (std::size_t i = 0; i < 128; ++i) put(file, 512 + 4 * i, 0xFFFFFFFF, 4);
  put(file, 512, 0xFFFFFFFD, 4);
  put(file, 516, 0xFFFFFFFE, 4);
  for (std::size_t i = 0; i < sectors; ++i) put(file, 520 + 4 * i, i + 1 < sectors ? i + 3 : 0xFFFFFFFE, 4);
  entry(file, 1024, "Root Entry", 5, 1, 0xFFFFFFFE, 0);
  entry(file, 1152, name, 2, 0xFFFFFFFF, 2, static_cast<std::uint32_t>(512 * sectors));
  return file;
}

base::Bytes workbook() {
  base::Bytes file = compound("Workbook", kSectors);
  std::size_t at = 1536;
  put(file, at, 0x00040809, 4);
  for (at += 8; at + 24 < file.size(); at += 20) put(file, at, 0x00100203, 4);
  put(file, at, 0x0000000A, 4);
  return file;
}

Report judge(const base::Bytes& file) {
  MemoryInput input(file);
  Window window(input);
  Budget budget = Budget::for_file(file.size());
  return cfb::check(window, budget);
}

TEST(Cfb, AWholeWorkbookIsWhole) {
  const base::Bytes file = workbook();
  MemoryInput input(file);
  Window window(input);
  EXPECT_TRUE(cfb::recognise(window));
  EXPECT_EQ(judge(file).evidence, "");
}

TEST(Cfb, AnyBlockReplacedByRandomBytesIsFound) {
  std::mt19937 random(3);
  const base::Bytes file = workbook();
  for (std::size_t at = 512; at + 4096 <= file.size(); at += 512) {
    base::Bytes damaged = file;
    for (std::size_t i = 0; i < 4096; ++i) damaged[at + i] = static_cast<std::uint8_t>(random());
    EXPECT_EQ(judge(damaged).finding, Finding::kBroken) << at;
  }
}

void make_random(base::Bytes& file, std::size_t at, std::size_t size) {
  std::mt19937 random(5);
  for (std::size_t i = 0; i < size; ++i) file[at + i] = static_cast<std::uint8_t>(random() >> 8);
}

base::Bytes unknown_stream() {
  base::Bytes file = compound("Contents", kSectors);
  for (std::size_t at = 1536; at < file.size(); ++at) file[at] = static_cast<std::uint8_t>(at * at >> 6 & 15);
  return file;
}

TEST(Cfb, ARandomBlockInAStreamThatNobodyKnowsIsFound) {
  ASSERT_EQ(judge(unknown_stream()).evidence, "");
  for (std::size_t at = 4096; at + 4096 < unknown_stream().size(); at += 4096) {
    base::Bytes damaged = unknown_stream();
    make_random(damaged, at, 4096);
    const Report report = judge(damaged);
    EXPECT_EQ(report.finding, Finding::kBroken);
    EXPECT_EQ(report.at, at);
  }
}

TEST(Cfb, APackedPartThatBeginsAndEndsAnywhereIsWhole) {
  for (std::size_t at = 4096 + 333; at < 8192; at += 512) {
    base::Bytes file = unknown_stream();
    make_random(file, at, 9000);
    EXPECT_EQ(judge(file).evidence, "") << at;
  }
}

TEST(Cfb, AStreamThatIsPackedFromEndToEndIsWhole) {
  base::Bytes file = unknown_stream();
  make_random(file, 1536, file.size() - 1536);
  EXPECT_EQ(judge(file).evidence, "");
}

TEST(Cfb, ARandomBlockInWhatNoStreamUsesIsFound) {
  base::Bytes file = compound("Contents", 10);
  ASSERT_EQ(judge(file).evidence, "");
  make_random(file, 12288, 4096);
  EXPECT_EQ(judge(file).finding, Finding::kBroken);
}

TEST(Cfb, ARandomBlockOverTheEndOfAStreamIsFound) {
  base::Bytes file = compound("Contents", 15);
  ASSERT_EQ(judge(file).evidence, "");
  make_random(file, 8192, 4096);
  EXPECT_EQ(judge(file).finding, Finding::kBroken);
}

TEST(Cfb, ADamagedPictureInAStreamThatNobodyKnowsIsFound) {
  base::Bytes file = unknown_stream();
  const base::Bytes png = base::from_hex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489").value();
  std::ranges::copy(png, file.begin() + 6000);
  const base::Bytes end = base::from_hex("0000000049454e44ae426082").value();
  std::ranges::copy(end, file.begin() + 6033);
  EXPECT_EQ(judge(file).evidence, "");
  file[6020] ^= 1;
  EXPECT_EQ(judge(file).finding, Finding::kBroken);
}

TEST(Cfb, CutShortIsFound) {
  const base::Bytes file = workbook();
  for (std::size_t size = 100; size + 512 < file.size(); size += 333) {
    EXPECT_EQ(judge({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}).finding, Finding::kBroken)
        << size;
  }
}

TEST(Cfb, AChainThatBitesItsTailEndsAndIsFound) {
  base::Bytes file = workbook();
  put(file, 520 + 4 * 20, 5, 4);
  EXPECT_EQ(judge(file).finding, Finding::kBroken);
}

TEST(Cfb, HostileNumbersEnd) {
  for (std::size_t at = 24; at < 1536; at += 4) {
    base::Bytes file = workbook();
    put(file, at, 0xFFFFFFF0, 4);
    judge(file);
  }
}

}  // namespace
}  // namespace kura::detect::cfb_test
