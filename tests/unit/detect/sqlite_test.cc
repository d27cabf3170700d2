#include "detect/databases/sqlite.h"

#include <random>

#include <gtest/gtest.h>

namespace kura::detect::sqlite_test {
namespace {

void put(base::Bytes& file, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) file[at + i] = static_cast<std::uint8_t>(value >> 8 * (width - 1 - i));
}

// Leaves of a table, each with rows of one text of 60 bytes.
base::Bytes database(std::size_t pages) {
  base::Bytes file(pages * 4096);
  std::ranges::copy(std::string_view("SQLite format 3\0", 16), file.begin());
  put(file, 16, 4096, 2);
  put(file, 18, 0x0101004020200000, 8);
  put(file, 28, pages, 4);
  for (std::size_t page = 0; page < pages; ++page) {
    const std::size_t base = page * 4096;
    const std::size_t head = base + (page == 0 ? 100 : 0);
    file[head] = 13;
    put(file, head + 3, 50, 2);
    put(file, head + 5, 4096 - 50 * 65, 2);
    for (std::size_t row = 0; row < 50; ++row) {
      const std::size_t at = 4096 - (row + 1) * 65;
      put(file, head + 8 + 2 * row, at, 2);
      put(file, base + at, 0x3F, 1);            // payload: 63 bytes
      put(file, base + at + 1, row + 1, 1);     // row
      put(file, base + at + 2, 0x03810500, 4);  // header of 3 bytes, a text of 60
      for (std::size_t i = 5; i < 65; ++i) file[base + at + i] = 'a';
    }
  }
  return file;
}

Report judge(const base::Bytes& file) {
  MemoryInput input(file);
  Window window(input);
  EXPECT_TRUE(sqlite::recognise(window));
  Budget budget = Budget::for_file(file.size());
  return sqlite::check(window, budget);
}

TEST(Sqlite, AWholeDatabaseIsWhole) { EXPECT_EQ(judge(database(20)).evidence, ""); }

TEST(Sqlite, AnyPageReplacedByRandomBytesIsFound) {
  std::mt19937 random(5);
  for (std::size_t page = 1; page < 20; ++page) {
    base::Bytes file = database(20);
    for (std::size_t i = 0; i < 4096; ++i) file[page * 4096 + i] = static_cast<std::uint8_t>(random());
    EXPECT_EQ(judge(file).finding, Finding::kBroken) << page;
  }
}

TEST(Sqlite, CutShortAndWipedAreFound) {
  base::Bytes file = database(20);
  file.resize(13 * 4096);
  EXPECT_EQ(judge(file).finding, Finding::kBroken);
  file = database(20);
  std::fill(file.begin() + 4096, file.end(), 0);
  EXPECT_EQ(judge(file).finding, Finding::kBroken);
}

TEST(Sqlite, HostileNumbersEnd) {
  for (std::size_t at = 16; at < 200; at += 2) {
    base::Bytes file = database(4);
    put(file, at, 0xFFFF, 2);
    judge(file);
  }
}

}  // namespace
}  // namespace kura::detect::sqlite_test
