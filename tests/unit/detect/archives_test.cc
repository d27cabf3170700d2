#include <string>

#include <gtest/gtest.h>

#include "detect/archives/archives_kinds.h"
#include "detect/codec/inflate.h"
#include "support/detect/archive_samples.h"

namespace kura::detect::archives_test {
namespace {

using samples::judge;

samples::Judged judged(const base::Bytes& file) { return judge(archives_kinds(), file); }

void put(base::Bytes& out, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append(base::Bytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

// A ZIP archive of one stored part.
base::Bytes stored_zip(std::string_view name, const base::Bytes& data) {
  base::Bytes file;
  const auto common = [&] {
    for (const unsigned field : {20U, 0U, 0U, 0U, 33U}) put(file, field, 2);
    put(file, crc32(data), 4);
    put(file, data.size(), 4);
    put(file, data.size(), 4);
    put(file, name.size(), 2);
    put(file, 0, 2);
  };
  append(file, "PK\3\4");
  common();
  append(file, name);
  file.insert(file.end(), data.begin(), data.end());
  const std::size_t directory = file.size();
  append(file, "PK\1\2");
  put(file, 20, 2);
  common();
  file.resize(file.size() + 14);
  append(file, name);
  const std::size_t end = file.size();
  append(file, "PK\5\6");
  put(file, 0, 4);
  put(file, 1, 2);
  put(file, 1, 2);
  put(file, end - directory, 4);
  put(file, directory, 4);
  put(file, 0, 2);
  return file;
}

// gzip with blocks that are stored.
base::Bytes stored_gzip(const base::Bytes& data) {
  base::Bytes file = samples::hex("1f8b0800000000000003");
  for (std::size_t at = 0; at < data.size(); at += 1000) {
    const std::size_t size = std::min<std::size_t>(1000, data.size() - at);
    file.push_back(at + size == data.size() ? 1 : 0);
    put(file, size, 2);
    put(file, size ^ 0xFFFF, 2);
    file.insert(file.end(), data.begin() + static_cast<std::ptrdiff_t>(at),
                data.begin() + static_cast<std::ptrdiff_t>(at + size));
  }
  put(file, crc32(data), 4);
  put(file, data.size(), 4);
  return file;
}

void add_tar_member(base::Bytes& file, std::string_view name, const base::Bytes& data) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(100, 7, "0000644");
  header.replace(108, 7, "0000000");
  header.replace(116, 7, "0000000");
  header.replace(136, 11, "00000000000");
  std::string size(11, '0');
  for (std::size_t i = 11, left = data.size(); i-- > 0; left /= 8) size[i] = static_cast<char>('0' + left % 8);
  header.replace(124, 11, size);
  header.replace(148, 8, "        ");
  header[156] = '0';
  header.replace(257, 8,
                 std::string("ustar\0"
                             "00",
                             8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::string digits(6, '0');
  for (std::size_t i = 6, left = sum; i-- > 0; left /= 8) digits[i] = static_cast<char>('0' + left % 8);
  header.replace(148, 7, digits + std::string(1, '\0'));
  append(file, header);
  file.insert(file.end(), data.begin(), data.end());
  file.resize((file.size() + 511) / 512 * 512);
}

base::Bytes tar_of(std::string_view name, const base::Bytes& data) {
  base::Bytes file;
  add_tar_member(file, name, data);
  add_tar_member(file, "last", base::Bytes(100, 'x'));
  file.resize(file.size() + 1024);
  return file;
}

base::Bytes ar_of(const base::Bytes& data) {
  base::Bytes file;
  append(file, "!<arch>\n");
  std::string size = std::to_string(data.size());
  size.resize(10, ' ');
  append(file, "debian-binary   0           0     0     100644  " + size + "`\n");
  file.insert(file.end(), data.begin(), data.end());
  if (file.size() % 2 != 0) file.push_back('\n');
  return file;
}

struct Sample {
  const char* kind;
  base::Bytes file;
};

// One of each kind.
std::vector<Sample> all_samples() {
  const base::Bytes data = samples::noise(20000);
  return {{"docx", samples::kDocx},
          {"odt", samples::kOdt},
          {"zip", samples::kStreamedZip},
          {"zip", stored_zip("part", data)},
          {"gzip", samples::kGzip},
          {"gzip", stored_gzip(data)},
          {"bzip2", samples::kBzip2},
          {"xz", samples::kXz},
          {"lzma", samples::kLzma},
          {"zstd", samples::kZstd},
          {"lz4", samples::kLz4},
          {"cpio", samples::kCpio},
          {"tar", tar_of("member", data)},
          {"ar", ar_of(data)},
          {"lzip", samples::kLzip},
          {"git pack", samples::kGitPack},
          {"git index", samples::kGitIndex},
          {"zlib", samples::kZlib}};
}

TEST(Archives, AWholeFileIsWholeAndOfItsKind) {
  for (const Sample& sample : all_samples()) {
    const auto said = judged(sample.file);
    EXPECT_EQ(said.kind, sample.kind);
    EXPECT_EQ(said.report.finding, Finding::kWhole) << sample.kind << ": " << said.report.evidence;
  }
}

// An ar archive may end after any member, and a tar after any block, and one byte may follow: those that end at a
// header's place are not tried.
TEST(Archives, AFileCutShortAnywhereIsFound) {
  for (const Sample& sample : all_samples()) {
    const std::string_view kind = sample.kind;
    const std::size_t step = std::max<std::size_t>(1, sample.file.size() / 60);
    const std::size_t most = kind == "tar" ? 20000 : sample.file.size() - (kind == "cpio" ? 20 : 1);
    for (std::size_t size = kind == "ar" ? 10 : 1; size < most; size += step) {
      const auto end = sample.file.begin() + static_cast<std::ptrdiff_t>(size);
      EXPECT_TRUE(judged(base::Bytes(sample.file.begin(), end)).found()) << kind << " of " << size << " bytes";
    }
  }
}

TEST(Archives, ABlockOf4KiBThatIsReplacedIsFoundOrLeftToStatistics) {
  for (const Sample& sample : all_samples()) {
    for (std::size_t at = 0; at < sample.file.size(); at += 4096) {
      base::Bytes file = sample.file;
      const base::Bytes noise = samples::noise(4096, 7 + static_cast<unsigned>(at));
      const std::size_t size = std::min<std::size_t>(4096, file.size() - at);
      std::copy_n(noise.begin(), size, file.begin() + static_cast<std::ptrdiff_t>(at));
      const auto said = judged(file);
      EXPECT_TRUE(said.found() || samples::in_stretch(said.report, at) ||
                  samples::in_stretch(said.report, at + size - 1))
          << sample.kind << " at " << at;
    }
  }
}

TEST(Archives, HeadersThatLieEnd) {
  for (const Sample& sample : all_samples()) {
    for (std::size_t at = 0; at < std::min<std::size_t>(sample.file.size(), 300); at += 3) {
      for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{0x7F}, std::uint8_t{0xFF}}) {
        base::Bytes file = sample.file;
        std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(4, file.size() - at), byte);
        const auto said = judged(file);
        if (!said.kind.empty() && said.report.finding != Finding::kWhole) EXPECT_FALSE(said.report.evidence.empty());
      }
    }
  }
}

TEST(Gzip, AFlippedByteInDataOrTrailerIsFound) {
  for (std::size_t at = 10; at < samples::kGzip.size(); ++at) {
    base::Bytes file = samples::kGzip;
    file[at] ^= 0x55;
    EXPECT_TRUE(judged(file).found()) << at;
  }
}

TEST(Gzip, SeveralStreamsAndZerosBehindThemAreWhole) {
  base::Bytes file = samples::kGzip;
  file.insert(file.end(), samples::kGzip.begin(), samples::kGzip.end());
  file.resize(file.size() + 5000);
  EXPECT_EQ(judged(file).report.finding, Finding::kWhole);
  EXPECT_TRUE(judged(file).report.stretches.empty());
}

TEST(Zip, AFlippedByteInAPartNamesThePart) {
  base::Bytes file = stored_zip("word/document.xml", base::Bytes(500, 'a'));
  file[100] ^= 1;
  const auto said = judged(file);
  EXPECT_EQ(said.report.finding, Finding::kBroken);
  EXPECT_EQ(said.report.evidence, "the checksum of part word/document.xml is wrong");
}

TEST(Zip, BytesBeforeAndBehindTheArchiveAreNoDamage) {
  base::Bytes file = stored_zip("part", base::Bytes(500, 'a'));
  const std::string_view shell = "#!/usr/bin/env python3\n";
  file.insert(file.begin(), shell.begin(), shell.end());
  file.resize(file.size() + 100);
  EXPECT_EQ(judged(file).report.finding, Finding::kWhole);
}

TEST(Zip, OneWithAPasswordIsACipher) {
  const auto said = judged(samples::kPasswordZip);
  EXPECT_EQ(said.report.finding, Finding::kCipher);
  EXPECT_EQ(said.report.evidence, "a ZIP archive with a password");
}

TEST(Zip, ANameIsShownWithoutControlCharacters) {
  base::Bytes file = stored_zip("a\x1b[2Jb", base::Bytes(500, 'a'));
  file[100] ^= 1;
  EXPECT_EQ(judged(file).report.evidence, "the checksum of part a\\x1b[2Jb is wrong");
}

TEST(SevenZip, OneWithAPasswordIsACipher) {
  EXPECT_EQ(judged(samples::kSevenZipPassword).report.finding, Finding::kCipher);
}

TEST(SevenZip, AFlippedByteInAHeaderIsFound) {
  for (std::size_t at = 8; at < samples::kSevenZip.size(); ++at) {
    base::Bytes file = samples::kSevenZip;
    file[at] ^= 0x55;
    const auto said = judged(file);
    EXPECT_TRUE(said.found() || samples::in_stretch(said.report, at)) << at;
  }
}

TEST(Rar, OneWithAPasswordIsACipher) {
  EXPECT_EQ(judged(samples::kRar4).report.finding, Finding::kWhole);
  EXPECT_EQ(judged(samples::kRar4Password).report.finding, Finding::kCipher);
}

TEST(Rar, AFlippedByteInAHeaderOrInStoredDataIsFound) {
  for (std::size_t at = 8; at < samples::kRar5Stored.size(); ++at) {
    base::Bytes file = samples::kRar5Stored;
    file[at] ^= 0x55;
    EXPECT_TRUE(judged(file).found()) << at;
  }
}

TEST(Lzip, AFlippedByteBehindTheHeaderIsFound) {
  for (std::size_t at = 6; at < samples::kLzip.size(); ++at) {
    base::Bytes file = samples::kLzip;
    file[at] ^= 0x55;
    EXPECT_TRUE(judged(file).found()) << at;
  }
}

TEST(Lzip, SeveralMembersAreWhole) {
  base::Bytes file = samples::kLzip;
  file.insert(file.end(), samples::kLzip.begin(), samples::kLzip.end());
  EXPECT_EQ(judged(file).report.finding, Finding::kWhole);
  file.pop_back();
  EXPECT_TRUE(judged(file).found());
}

TEST(GitPack, AFlippedByteIsFound) {
  for (std::size_t at = 0; at < samples::kGitPack.size(); ++at) {
    base::Bytes file = samples::kGitPack;
    file[at] ^= 0x55;
    EXPECT_TRUE(judged(file).found()) << at;
  }
}

TEST(Zlib, AFlippedByteIsFoundAndASizeOfQtBeforeItIsNone) {
  for (std::size_t at = 2; at < samples::kZlib.size(); ++at) {
    base::Bytes file = samples::kZlib;
    file[at] ^= 0x55;
    EXPECT_TRUE(judged(file).found()) << at;
  }
  base::Bytes packed_by_qt = samples::hex("00000448");
  packed_by_qt.insert(packed_by_qt.end(), samples::kZlib.begin(), samples::kZlib.end());
  EXPECT_EQ(judged(packed_by_qt).report.finding, Finding::kWhole);
}

TEST(Compress, AWholeFileIsWholeAndNoiseInItIsFound) {
  const auto said = judged(samples::kCompress);
  EXPECT_EQ(said.kind, "compress");
  EXPECT_EQ(said.report.finding, Finding::kWhole) << said.report.evidence;
  for (std::size_t at = 16; at + 64 < samples::kCompress.size(); at += 16) {
    base::Bytes file = samples::kCompress;
    const base::Bytes noise = samples::noise(64, static_cast<unsigned>(at));
    std::ranges::copy(noise, file.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_TRUE(judged(file).found()) << at;
  }
}

TEST(Bzip2, AFlippedByteIsFound) {
  for (std::size_t at = 4; at < samples::kBzip2.size() - 1; ++at) {
    base::Bytes file = samples::kBzip2;
    file[at] ^= 0x55;
    EXPECT_TRUE(judged(file).found()) << at;
  }
}

TEST(Xz, AFlippedByteIsFound) {
  for (std::size_t at = 0; at < samples::kXz.size(); ++at) {
    base::Bytes file = samples::kXz;
    file[at] ^= 0x55;
    EXPECT_TRUE(judged(file).found()) << at;
  }
}

TEST(Lz4, AFlippedByteIsFound) {
  for (std::size_t at = 4; at < samples::kLz4.size(); ++at) {
    base::Bytes file = samples::kLz4;
    file[at] ^= 0x55;
    EXPECT_TRUE(judged(file).found()) << at;
  }
}

TEST(Tar, ADamagedArchiveInAMemberIsFound) {
  base::Bytes inner = stored_gzip(samples::noise(5000));
  EXPECT_EQ(judged(tar_of("a.gz", inner)).report.finding, Finding::kWhole);
  inner[2000] ^= 1;
  const auto said = judged(tar_of("a.gz", inner));
  EXPECT_EQ(said.report.finding, Finding::kBroken);
  EXPECT_EQ(said.report.evidence, "in a.gz: the checksum of the stream is wrong");
}

TEST(Tar, TextIsAPlainStretch) {
  const auto said = judged(tar_of("a.txt", base::Bytes(5000, 'a')));
  ASSERT_FALSE(said.report.stretches.empty());
  EXPECT_EQ(said.report.stretches[0], (Stretch{{512, 5000}, Density::kPlain}));
}

}  // namespace
}  // namespace kura::detect::archives_test
