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

base::Bytes workbook() {
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
  for (std::size_t i = 0; i < kSectors; ++i) put(file, 520 + 4 * i, i + 1 < kSectors ? i + 3 : 0xFFFFFFFE, 4);
  entry(file, 1024, "Root Entry", 5, 1, 0xFFFFFFFE, 0);
  entry(file, 1152, "Workbook", 2, 0xFFFFFFFF, 2, 512 * kSectors);
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
