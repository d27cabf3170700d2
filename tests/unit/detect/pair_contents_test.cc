// Two versions of a file with both contents at hand: what was replaced between them.
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "detect/judge/judge.h"
#include "detect/judge/pair.h"

namespace kura::detect::pair_contents_test {
namespace {

std::string noise(std::size_t size, std::uint32_t seed = 9) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random() >> 8);
  return bytes;
}

// Of no known kind, with zeros, so that it is no text.
std::string records(std::size_t size) {
  std::string bytes;
  for (std::uint32_t i = 0; bytes.size() < size; ++i)
    bytes += std::string("rec\0\1", 5) + std::to_string(i * 7919) + '\0';
  return bytes.substr(0, size);
}

Judgement judge_pair(const std::string& before, const std::string& after, std::string_view name = "data.rec") {
  MemoryInput old_input(base::as_bytes(before));
  MemoryInput new_input(base::as_bytes(after));
  return judge_change(judge(old_input, name), old_input, judge(new_input, name), new_input, name);
}

std::string with_noise(std::string bytes, std::size_t first, std::size_t length, std::size_t step) {
  const std::string random = noise(bytes.size());
  for (std::size_t at = first; at < bytes.size(); at += step) {
    const std::size_t size = std::min(length, bytes.size() - at);
    bytes.replace(at, size, random, at, size);
  }
  return bytes;
}

TEST(PairContents, AHeaderThatBecameRandomIsFoundInAFileOfNoKnownKind) {
  const std::string before = records(20000);
  EXPECT_EQ(judge_pair(before, with_noise(before, 0, 4096, 20000)).verdict, Verdict::kBroken);
}

TEST(PairContents, PiecesThatBecameRandomAreFoundInASmallFile) {
  const std::string before = records(300);
  EXPECT_EQ(judge_pair(before, with_noise(before, 0, 16, 32)).verdict, Verdict::kBroken);
  EXPECT_EQ(judge_pair(before, with_noise(before, 0, 64, 192)).verdict, Verdict::kBroken);
}

TEST(PairContents, PiecesFinerThanSectorsAreFoundInARandomFileAndSectorsAreNone) {
  const std::string before = "head" + noise(30000, 3);
  EXPECT_EQ(judge_pair(before, with_noise(before, 64, 64, 192)).verdict, Verdict::kBroken);
  EXPECT_NE(judge_pair(before, with_noise(before, 4096, 4096, 8192)).verdict, Verdict::kBroken);
}

TEST(PairContents, AFileThatBecameRandomAtOneLengthIsFound) {
  const std::string before = records(120);
  EXPECT_EQ(judge_pair(before, noise(120)).verdict, Verdict::kBroken);
}

TEST(PairContents, AFileThatBecameRandomAndGotAKeyBehindItIsFound) {
  const std::string before = records(3000);
  EXPECT_EQ(judge_pair(before, noise(3512)).verdict, Verdict::kBroken);
  EXPECT_NE(judge_pair(before, before + noise(512)).verdict, Verdict::kBroken);
}

TEST(PairContents, AnEditIsNone) {
  const std::string before = records(20000);
  std::string after = before;
  after.replace(777, 40, "somebody wrote another name and number!!");
  EXPECT_NE(judge_pair(before, after).verdict, Verdict::kBroken);
  after.replace(0, 4096, std::string(4096, 'x'));
  EXPECT_NE(judge_pair(before, after).verdict, Verdict::kBroken);
  after = before;
  after.replace(1001, 700, noise(700));  // something packed was put in where it fits
  EXPECT_NE(judge_pair(before, after).verdict, Verdict::kBroken);
}

TEST(PairContents, ATextOfAFewBytesThatIsNoneAnyMoreIsFound) {
  EXPECT_EQ(judge_pair("1.0.2\n", "\x9f\x03q\xd8\xee\x91", "VERSION").verdict, Verdict::kBroken);
  EXPECT_EQ(judge_pair("1.0.2\n", "\x9f\x03q\xd8\xee\x91", "version.txt").verdict, Verdict::kBroken);
  // The first 16 bytes of 20.
  const std::string before = "include debian/rules";
  EXPECT_EQ(judge_pair(before, noise(16) + before.substr(16), "Makefile").verdict, Verdict::kBroken);
}

TEST(PairContents, ASmallTextThatIsEditedOrPutIntoAnotherEncodingIsNone) {
  EXPECT_NE(judge_pair("caf\xc3\xa9 ferm\xc3\xa9\n", "caf\xe9 ferm\xe9\n", "a.txt").verdict, Verdict::kBroken);
  EXPECT_NE(judge_pair("Muller\n", "M\xfcller\n", "a.txt").verdict, Verdict::kBroken);
  EXPECT_NE(judge_pair("Muller\n", "M\xfcllr\n", "a.txt").verdict, Verdict::kBroken);
  EXPECT_NE(judge_pair("12\n", "97\n", "serial").verdict, Verdict::kBroken);
  // Cyrillic, as long in GB 18030 as in UTF-8.
  EXPECT_NE(judge_pair("\xd0\x9c\xd0\xb8\xd1\x80\n", "\xa7\xae\xa7\xda\xa7\xe2\n", "a.txt").verdict, Verdict::kBroken);
}

TEST(PairContents, BlocksOfACipherThatAreReplacedInItsMiddleAreFound) {
  const std::string before = "Salted__" + noise(60008, 3);
  EXPECT_EQ(judge_pair(before, with_noise(before, 8192, 4096, 16384), "a.enc").verdict, Verdict::kBroken);
  EXPECT_EQ(judge_pair(before, "Salted__" + noise(60008, 4), "a.enc").verdict, Verdict::kOpaque);
  // All behind the first 64 KiB, a rest of 160 bytes.
  const std::string longer = "Salted__" + noise(65688, 3);
  EXPECT_EQ(judge_pair(longer, with_noise(longer, 65536, 4096, 65536), "a.enc").verdict, Verdict::kBroken);
}

TEST(PairContents, ACipherInBase64OfTheSameLengthIsFound) {
  std::string printed;
  for (const char c : noise(400)) printed += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[c & 63];
  EXPECT_EQ(judge_pair(records(300), printed).verdict, Verdict::kBroken);
  EXPECT_EQ(judge_pair(records(300), printed + "\n").verdict, Verdict::kBroken);
  EXPECT_NE(judge_pair(records(200), printed).verdict, Verdict::kBroken);
}

TEST(PairContents, ADigestInPlaceOfAShortTextIsNone) {
  EXPECT_NE(judge_pair("ref: refs/heads/dev\n", "9a0c2dc35589d2a19a0c2dc35589d2a1f413238f\n", "HEAD").verdict,
            Verdict::kBroken);
}

TEST(PairContents, AWholeFileThatBecameZerosIsFound) {
  const std::string before = "a text that somebody wrote, line by line\nand another line of it\n";
  EXPECT_EQ(judge_pair(before, std::string(before.size(), '\0'), "note").verdict, Verdict::kBroken);
  EXPECT_NE(judge_pair("", std::string(5000, '\0'), "note").verdict, Verdict::kBroken);
}

TEST(PairContents, ADatabaseOfPasswordsThatIsNoneAnyMoreIsFound) {
  Version was;
  was.judgement = {Verdict::kOpaque, "keepass", {"it is encrypted by design"}};
  was.size = 4000;
  const std::string after = noise(4000);
  MemoryInput input(base::as_bytes(after));
  EXPECT_EQ(judge_change(was, judge(input, "my.kdbx"), "my.kdbx").verdict, Verdict::kBroken);
  EXPECT_EQ(judge_change(was, judge(input, "my.kdbx"), "x9Kq").verdict, Verdict::kBroken);
}

}  // namespace
}  // namespace kura::detect::pair_contents_test
