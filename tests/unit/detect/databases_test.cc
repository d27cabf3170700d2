// Outlook's stores, tables, Access, event logs, ESE, shortcuts and hives: each file is built by its format's rules.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "detect/codec/inflate.h"
#include "detect/databases/databases_kinds.h"
#include "support/detect/judging.h"

namespace kura::detect::databases_test {
namespace {

void put(base::Bytes& file, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) file[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
}
void put(base::Bytes& file, std::size_t at, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) file[at + i] = static_cast<std::uint8_t>(text[i]);
}
base::ByteSpan part(const base::Bytes& file, std::size_t at, std::size_t size) {
  return base::ByteSpan(file).subspan(at, size);
}

// What the kind that recognises the file says of it; `name` is that kind's.
Report judge(const base::Bytes& file, std::string_view name) {
  const auto report = test::judged_as(databases_kinds(), file, name);
  if (!report) ADD_FAILURE() << "not recognised as " << name;
  return report.value_or(Report());
}

base::Bytes with_noise(base::Bytes file, std::size_t at, std::size_t size) {
  std::mt19937 random(static_cast<unsigned>(at) + 7);
  for (std::size_t i = at; i < std::min(file.size(), at + size); ++i) file[i] = static_cast<std::uint8_t>(random());
  return file;
}

void every_block_is_proven(const base::Bytes& file, std::string_view name, std::size_t from, std::size_t to) {
  for (std::size_t at = from; at + 4096 <= to; at += 4096) {
    EXPECT_EQ(judge(with_noise(file, at, 4096), name).finding, Finding::kBroken) << at;
  }
}

std::uint32_t pst_sum(base::ByteSpan bytes) { return ~crc32(bytes, 0xFFFFFFFF); }

void pst_page(base::Bytes& file, std::size_t at, std::uint8_t type, std::uint64_t id) {
  file[at + 496] = file[at + 497] = type;
  put(file, at + 504, id, 8);
  put(file, at + 500, pst_sum(part(file, at, 496)), 4);
}

// A page for each tree and 15 blocks of 8,176 bytes, one behind the other.
base::Bytes pst() {
  base::Bytes file(1024 + 15 * 8192);
  put(file, 0, "!BDN");
  put(file, 8, "SM");
  put(file, 10, 23, 2);
  put(file, 184, file.size(), 8);
  put(file, 216, 2, 8);
  put(file, 224, 564 + 12, 8);
  put(file, 232, 4, 8);
  file.insert(file.begin() + 576, 1024 - 448, 0);  // the pages
  put(file, 184, file.size(), 8);
  put(file, 240, 576 + 512, 8);
  file[576 + 490] = 32;
  pst_page(file, 576, 0x81, 2);
  file[1088 + 488] = 15;
  file[1088 + 490] = 24;
  for (std::size_t i = 0; i < 15; ++i) {
    const std::size_t at = 1600 + i * 8192;
    for (std::size_t j = 0; j < 8176; ++j) file[at + j] = static_cast<std::uint8_t>(j * i >> 5);
    put(file, at + 8176, 8176, 2);
    put(file, at + 8180, pst_sum(part(file, at, 8176)), 4);
    put(file, at + 8184, 8 + 4 * i, 8);
    put(file, 1088 + 24 * i, 8 + 4 * i, 8);
    put(file, 1088 + 24 * i + 8, at, 8);
    put(file, 1088 + 24 * i + 16, 8176, 2);
  }
  pst_page(file, 1088, 0x80, 4);
  put(file, 4, pst_sum(part(file, 8, 471)), 4);
  put(file, 524, pst_sum(part(file, 8, 516)), 4);
  return file;
}

TEST(Pst, AWholeStoreIsWhole) { EXPECT_EQ(judge(pst(), "pst").evidence, ""); }
TEST(Pst, AFlippedBitInAnyBlockIsFound) {
  for (std::size_t at = 1700; at < pst().size(); at += 4099) {
    base::Bytes file = pst();
    file[at] ^= 1;
    EXPECT_EQ(judge(file, "pst").finding, Finding::kBroken) << at;
  }
}
TEST(Pst, CutShortIsFound) {
  base::Bytes file = pst();
  file.resize(file.size() - 100);
  EXPECT_EQ(judge(file, "pst").finding, Finding::kBroken);
}
TEST(Pst, HostileNumbersEnd) {
  for (std::size_t at = 12; at < 1600; at += 4) {
    base::Bytes file = pst();
    put(file, at, 0xFFFFFFF0, 4);
    put(file, 4, pst_sum(part(file, 8, 471)), 4);
    put(file, 524, pst_sum(part(file, 8, 516)), 4);
    judge(file, "pst");
  }
}

// Chunks of ten records.
base::Bytes event_log(std::size_t chunks) {
  base::Bytes file(4096 + chunks * 65536);
  put(file, 0, "ElfFile");
  put(file, 42, chunks, 2);
  put(file, 124, crc32(part(file, 0, 120)), 4);
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t base = 4096 + i * 65536;
    put(file, base, "ElfChnk");
    put(file, base + 40, 128, 4);
    put(file, base + 48, 512 + 10 * 6000, 4);
    for (std::size_t j = 0; j < 10; ++j) {
      const std::size_t at = base + 512 + 6000 * j;
      put(file, at, 0x2A2A, 4);
      put(file, at + 4, 6000, 4);
      put(file, at + 5996, 6000, 4);
    }
    put(file, base + 52, crc32(part(file, base + 512, 60000)), 4);
    put(file, base + 124, crc32(part(file, base + 128, 384), crc32(part(file, base, 120))), 4);
  }
  return file;
}

TEST(Evtx, AWholeLogIsWhole) { EXPECT_EQ(judge(event_log(3), "evtx").evidence, ""); }
TEST(Evtx, AnyBlockReplacedByRandomBytesIsFound) { every_block_is_proven(event_log(3), "evtx", 4096, 4096 + 60000); }
TEST(Evtx, CutShortIsFound) {
  base::Bytes file = event_log(3);
  file.resize(file.size() - 60000);
  EXPECT_EQ(judge(file, "evtx").finding, Finding::kBroken);
}
TEST(Evtx, TheChunkThatALogIsBeingWrittenToMayLagBehind) {
  base::Bytes file = event_log(3);
  file[120] = 1;
  put(file, 124, crc32(part(file, 0, 120)), 4);
  file[4096 + 2 * 65536 + 700] ^= 1;
  EXPECT_EQ(judge(file, "evtx").evidence, "");
  file[4096 + 65536 + 700] ^= 1;
  EXPECT_EQ(judge(file, "evtx").finding, Finding::kBroken);
}

std::uint32_t xor_of(base::ByteSpan bytes, std::uint32_t from) {
  for (std::size_t i = 0; i < bytes.size(); i += 4) from ^= little<std::uint32_t>(bytes, i);
  return from;
}

base::Bytes ese(std::size_t pages) {
  base::Bytes file((pages + 2) * 8192);
  put(file, 4, 0x89ABCDEF, 4);
  put(file, 8, 0x620, 4);
  put(file, 236, 8192, 4);
  put(file, 0, xor_of(part(file, 4, 8188), 0x89ABCDEF), 4);
  std::copy_n(file.begin(), 8192, file.begin() + 8192);
  for (std::size_t page = 1; page <= pages; ++page) {
    const std::size_t at = (page + 1) * 8192;
    for (std::size_t i = 8; i < 8192; ++i) file[at + i] = static_cast<std::uint8_t>(i * page >> 6);
    put(file, at, xor_of(part(file, at + 8, 8184), static_cast<std::uint32_t>(page)), 4);
  }
  return file;
}

TEST(Edb, AWholeDatabaseIsWhole) { EXPECT_EQ(judge(ese(20), "edb").evidence, ""); }
TEST(Edb, AnyBlockReplacedByRandomBytesIsFound) { every_block_is_proven(ese(20), "edb", 16384, 22 * 8192); }
TEST(Edb, SumsOfAnotherWayAreLeftToStatistics) {
  base::Bytes file = ese(20);
  for (std::size_t page = 2; page < 22; ++page) file[page * 8192] ^= 0x55;
  const Report report = judge(file, "edb");
  EXPECT_EQ(report.finding, Finding::kWhole);
  EXPECT_EQ(report.stretches.size(), 1U);
}

base::Bytes access(std::size_t pages) {
  base::Bytes file(pages * 4096);
  put(file, 1, 1, 1);
  put(file, 4, "Standard ACE DB");
  file[0x14] = 2;
  put(file, 0x3E, 0x4EBC8AFB, 4);
  for (std::size_t page = 1; page < pages; ++page) {
    const std::size_t at = page * 4096;
    put(file, at, 0x0101, 2);
    put(file, at + 12, 30, 2);
    for (std::size_t row = 0; row < 30; ++row) put(file, at + 14 + 2 * row, 4096 - 100 * (row + 1), 2);
  }
  return file;
}

TEST(Access, AWholeDatabaseIsWhole) { EXPECT_EQ(judge(access(20), "accdb").evidence, ""); }
TEST(Access, AnyPageReplacedByRandomBytesIsFound) { every_block_is_proven(access(20), "accdb", 4096, 20 * 4096); }
TEST(Access, CutShortAndWipedAreFound) {
  base::Bytes file = access(20);
  file.resize(file.size() - 5);
  EXPECT_EQ(judge(file, "accdb").finding, Finding::kBroken);
  file = access(20);
  std::fill(file.begin() + 4096, file.end(), 0);
  EXPECT_EQ(judge(file, "accdb").finding, Finding::kBroken);
}
TEST(Access, WithAKeyIsACipher) {
  base::Bytes file = with_noise(access(20), 4096, 19 * 4096);
  put(file, 0x3E, 0x12345678, 4);
  EXPECT_EQ(judge(file, "accdb").finding, Finding::kCipher);
}

// A text of 40 and a number of 10.
base::Bytes table(std::size_t records) {
  base::Bytes file(97 + records * 51, ' ');
  std::fill_n(file.begin(), 97, 0);
  file[0] = 3;
  put(file, 1, 0x010C63, 3);
  put(file, 4, records, 4);
  put(file, 8, 97, 2);
  put(file, 10, 51, 2);
  put(file, 32, "NAME");
  file[43] = 'C';
  file[48] = 40;
  put(file, 64, "PRICE");
  file[75] = 'N';
  file[80] = 10;
  file[96] = 0x0D;
  for (std::size_t i = 0; i < records; ++i) {
    put(file, 97 + 51 * i + 1, "a thing of wood");
    put(file, 97 + 51 * i + 41, "     17.25");
  }
  return file;
}

TEST(Dbf, AWholeTableIsWhole) { EXPECT_EQ(judge(table(1000), "dbf").evidence, ""); }
TEST(Dbf, AnyBlockReplacedByRandomBytesIsFound) { every_block_is_proven(table(1000), "dbf", 4096, 51 * 1000); }
TEST(Dbf, AnOddFieldIsNoDamage) {
  base::Bytes file = table(1000);
  put(file, 97 + 51 * 500 + 41, "unknown   ");
  EXPECT_EQ(judge(file, "dbf").evidence, "");
}
TEST(Dbf, CutShortAndWipedAreFound) {
  base::Bytes file = table(1000);
  file.resize(30000);
  EXPECT_EQ(judge(file, "dbf").finding, Finding::kBroken);
  file = table(1000);
  std::fill(file.begin() + 4096, file.end(), 0);
  EXPECT_EQ(judge(file, "dbf").finding, Finding::kBroken);
}

TEST(Lnk, AWholeShortcutIsWholeAndADamagedOneIsFound) {
  base::Bytes file(76 + 2 + 40 + 2 + 10 + 4);
  put(file, 0, 0x4C, 4);
  put(file, 4, 0x00021401, 4);
  file[12] = 0xC0;
  file[19] = 0x46;
  put(file, 20, 1 | 4 | 0x80, 4);
  put(file, 76, 40, 2);
  put(file, 78, 38, 2);
  put(file, 118, 5, 2);
  EXPECT_EQ(judge(file, "lnk").evidence, "");
  EXPECT_EQ(judge(with_noise(file, 60, 64), "lnk").finding, Finding::kBroken);
  file.resize(90);
  EXPECT_EQ(judge(file, "lnk").finding, Finding::kBroken);
}

// Bins of 4 KiB, each of cells of 64 bytes.
base::Bytes hive(std::size_t bins) {
  base::Bytes file(4096 * (bins + 1));
  put(file, 0, "regf");
  put(file, 20, 1, 4);
  put(file, 24, 5, 4);
  put(file, 40, 4096 * bins, 4);
  put(file, 508, xor_of(part(file, 0, 508), 0), 4);
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const std::size_t at = 4096 * (bin + 1);
    put(file, at, "hbin");
    put(file, at + 4, 4096 * bin, 4);
    put(file, at + 8, 4096, 4);
    put(file, at + 32, static_cast<std::uint64_t>(-32), 4);
    for (std::size_t cell = 64; cell < 4096; cell += 64) put(file, at + cell, static_cast<std::uint64_t>(-64), 4);
  }
  return file;
}

TEST(Hive, AWholeHiveIsWhole) { EXPECT_EQ(judge(hive(10), "registry hive").evidence, ""); }
TEST(Hive, AnyBinReplacedByRandomBytesIsFound) { every_block_is_proven(hive(10), "registry hive", 4096, 11 * 4096); }
TEST(Hive, CutShortIsFound) {
  base::Bytes file = hive(10);
  file.resize(20000);
  EXPECT_EQ(judge(file, "registry hive").finding, Finding::kBroken);
}

// Frames of a log with the salts and running checksums of SQLite's.
base::Bytes sqlite_log(std::size_t frames) {
  base::Bytes file(32 + frames * (512 + 24));
  const auto big = [&](std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  };
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  const auto add = [&](std::size_t at, std::size_t size) {
    for (std::size_t i = 0; i < size; i += 8) {
      a += little<std::uint32_t>(file, at + i) + b;
      b += little<std::uint32_t>(file, at + i + 4) + a;
    }
  };
  big(0, 0x377F0682);
  big(4, 3007000);
  big(8, 512);
  big(16, 0x1234567);
  big(20, 0x89);
  add(0, 24);
  big(24, a);
  big(28, b);
  for (std::size_t i = 0; i < frames; ++i) {
    const std::size_t at = 32 + i * 536;
    big(at, static_cast<std::uint32_t>(i + 1));
    big(at + 8, 0x1234567);
    big(at + 12, 0x89);
    for (std::size_t j = 0; j < 512; ++j) file[at + 24 + j] = static_cast<std::uint8_t>(j * i >> 4);
    add(at, 8);
    add(at + 24, 512);
    big(at + 16, a);
    big(at + 20, b);
  }
  return file;
}

TEST(SqliteLog, AWholeLogIsWhole) { EXPECT_EQ(judge(sqlite_log(40), "sqlite log").evidence, ""); }
TEST(SqliteLog, AnyBlockReplacedByRandomBytesIsFound) {
  every_block_is_proven(sqlite_log(40), "sqlite log", 4096, 40 * 536);
}
TEST(SqliteLog, FramesOfAnEarlierTurnMayFollow) {
  base::Bytes file = sqlite_log(40);
  for (std::size_t i = 20; i < 40; ++i) file[32 + i * 536 + 11] -= 1;
  EXPECT_EQ(judge(file, "sqlite log").evidence, "");
}

}  // namespace
}  // namespace kura::detect::databases_test
