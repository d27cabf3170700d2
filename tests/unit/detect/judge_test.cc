#include "detect/judge/judge.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "detect/input/input.h"
#include "detect/judge/pair.h"
#include "support/detect/archive_samples.h"

namespace kura::detect {
namespace {

std::string noise(std::size_t size, unsigned seed = 1) {
  std::mt19937 chance(seed);  // NOLINT: the same for each run
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(chance() & 0xff);
  return bytes;
}

std::string prose(std::size_t size) {
  std::string text;
  for (int line = 1; text.size() < size; ++line) {
    text += "Line " + std::to_string(line) + ": the quick brown fox jumps over the lazy dog, again and again.\n";
  }
  text.resize(size);
  return text;
}

// Records of a program that nobody here knows: numbers that rise slowly, no text.
std::string records(std::size_t size, unsigned seed = 1) {
  std::mt19937 chance(seed);  // NOLINT: the same for each run
  std::string bytes;
  for (unsigned number = 1; bytes.size() < size; ++number) {
    for (const unsigned value : {number, number * 7, static_cast<unsigned>(chance() % 3), 0U}) {
      for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xff);
    }
  }
  bytes.resize(size);
  return bytes;
}

Version judged(const std::string& contents, std::string_view name) {
  MemoryInput input(base::as_bytes(contents));
  return judge(input, name);
}

Verdict verdict_of(const std::string& contents, std::string_view name) {
  return judged(contents, name).judgement.verdict;
}

Judgement compared(const std::string& before, const std::string& after, std::string_view name,
                   std::string_view old_name) {
  MemoryInput old_input(base::as_bytes(before));
  MemoryInput new_input(base::as_bytes(after));
  return judge_change(judged(before, old_name), old_input, judged(after, name), new_input, name);
}
Judgement compared(const std::string& before, const std::string& after, std::string_view name) {
  return compared(before, after, name, name);
}

std::string with_piece(std::string contents, std::size_t at, const std::string& piece) {
  return contents.replace(at, piece.size(), piece);
}

// As zlib writes what it cannot make smaller: one stored block.
std::string zlib_stream(const std::string& plain) {
  std::uint32_t low = 1, high = 0;  // Adler-32
  for (const char byte : plain) {
    low = (low + static_cast<std::uint8_t>(byte)) % 65521;
    high = (high + low) % 65521;
  }
  std::string stream = "\x78\x01\x01";
  for (const std::size_t length : {plain.size(), ~plain.size()}) {
    stream += static_cast<char>(length & 0xff);
    stream += static_cast<char>(length >> 8 & 0xff);
  }
  stream += plain;
  for (int shift = 24; shift >= 0; shift -= 8) stream += static_cast<char>((high << 16 | low) >> shift & 0xff);
  return stream;
}

// ---- One version ----

TEST(JudgeTest, AnEmptyFileIsWhole) { EXPECT_EQ(verdict_of("", "a.docx"), Verdict::kValid); }

TEST(JudgeTest, TextIsWholeWhateverItsName) {
  EXPECT_EQ(verdict_of(prose(20'000), "notes.txt"), Verdict::kValid);
  EXPECT_EQ(verdict_of(prose(20'000), "notes"), Verdict::kValid);
  EXPECT_EQ(verdict_of(prose(20'000), "a.xyz"), Verdict::kValid);
}

TEST(JudgeTest, WhatIsRandomFromFirstToLastIsBroken) {
  for (const char* name : {"report.docx", "notes.txt", "file", "photo.jpg.locked", "x.[id-7F3A].evil"}) {
    EXPECT_EQ(verdict_of(noise(50'000), name), Verdict::kBroken) << name;
  }
}

TEST(JudgeTest, TheReasonNamesWhatTheFileWas) {
  const Judgement judgement = judged(noise(50'000), "photo.jpg.locked").judgement;
  ASSERT_FALSE(judgement.reasons.empty());
  EXPECT_NE(judgement.reasons.front().find("jpeg"), std::string::npos) << judgement.reasons.front();
}

TEST(JudgeTest, AFewRandomBytesProveNothingWithoutAName) {
  EXPECT_EQ(verdict_of(noise(40), "token"), Verdict::kUnknown);
  EXPECT_EQ(verdict_of(noise(2'000), "secret.key"), Verdict::kOpaque);
}

TEST(JudgeTest, APictureWithoutItsMarkIsBrokenHoweverLittleOfItIsRandom) {
  const std::string picture = noise(16) + std::string(180, '\1') + std::string(1, '\0');
  EXPECT_EQ(verdict_of(picture, "dot.png"), Verdict::kBroken);
  EXPECT_EQ(verdict_of(picture, "dot.xyz"), Verdict::kUnknown);
  EXPECT_EQ(verdict_of(picture, "dot.doc"), Verdict::kUnknown);  // there were others before the ones that are known
}

TEST(JudgeTest, APictureOfNothingButDigitsIsBrokenAndOneOfWordsIsNot) {
  const std::string digits = "Zk9xVb2Q0hX7aKc1x9Qm2LwE8rTz0PpNf5Yh3Jd6Gs7B\n";
  EXPECT_EQ(verdict_of(digits, "dot.png"), Verdict::kBroken);
  EXPECT_EQ(verdict_of(digits, "token"), Verdict::kValid);
  EXPECT_EQ(verdict_of("the picture has moved to another place\n", "dot.png"), Verdict::kValid);
}

TEST(JudgeTest, SmallTextsWithNoiseStrewnInAreSeenByTheirNames) {
  std::string half = prose(600), third = prose(600);
  for (std::size_t at = 0; at < 600; at += 32) half = with_piece(half, at, noise(16, 7 + static_cast<unsigned>(at)));
  for (std::size_t at = 0; at < 500; at += 192) third = with_piece(third, at, noise(64, 7 + static_cast<unsigned>(at)));
  EXPECT_EQ(verdict_of(half, "a.csv"), Verdict::kBroken);
  EXPECT_EQ(verdict_of(third, "a.csv"), Verdict::kBroken);
  // In UTF-16 without a mark, with letters of two scripts.
  std::string utf16;
  for (int i = 0; i < 300; ++i) utf16 += i % 3 == 0 ? std::string("\x1b\x04", 2) : std::string("a\0", 2);
  EXPECT_NE(verdict_of(utf16, "a.csv"), Verdict::kBroken);
}

TEST(JudgeTest, AFileThatWasOnlySetAsideIsUnknown) {
  EXPECT_EQ(verdict_of(std::string(1 << 20, '\0'), "table.dat"), Verdict::kUnknown);
  EXPECT_EQ(verdict_of(std::string(1 << 20, '\0'), "journal"), Verdict::kUnknown);
}

TEST(JudgeTest, ADocumentOfZerosWasWiped) {
  EXPECT_EQ(verdict_of(std::string(1 << 20, '\0'), "report.docx"), Verdict::kBroken);
}

TEST(JudgeTest, RandomBlocksWithinPlainOnesAreSeen) {
  std::string contents = records(1 << 20);
  EXPECT_EQ(verdict_of(contents, "data.rec"), Verdict::kUnknown);
  for (std::size_t at = 64 << 10; at < contents.size(); at += 64 << 10) {
    contents = with_piece(std::move(contents), at, noise(4096, static_cast<unsigned>(at)));
  }
  EXPECT_EQ(verdict_of(contents, "data.rec"), Verdict::kBroken);
}

TEST(JudgeTest, SixteenBytesOfEveryThirtyTwoAreSeen) {
  std::string contents = records(1 << 20);
  const std::string random = noise(contents.size());
  for (std::size_t at = 0; at + 16 <= contents.size(); at += 32) contents.replace(at, 16, random, at, 16);
  EXPECT_EQ(verdict_of(contents, "data.rec"), Verdict::kBroken);
}

TEST(JudgeTest, ACopyThatBrokeOffIsToldFromOneThatIsDamagedInside) {
  const std::string whole(base::as_text(samples::kDocx));
  const Version torn = judged(whole.substr(0, whole.size() * 2 / 3), "a.docx");
  EXPECT_EQ(torn.judgement.verdict, Verdict::kBroken);
  EXPECT_TRUE(torn.ends_early);
  const Version damaged = judged(with_piece(whole, whole.size() / 3, noise(16)), "a.docx");
  EXPECT_EQ(damaged.judgement.verdict, Verdict::kBroken);
  EXPECT_FALSE(damaged.ends_early);
  EXPECT_FALSE(judged(noise(20000), "a.docx").ends_early);
  EXPECT_FALSE(judged(whole, "a.docx").ends_early);
}

TEST(JudgeTest, AnObjectOfGitIsWholeAsItUnpacks) {
  const std::string packed = zlib_stream("blob 2048" + std::string(1, '\0') + noise(2048));
  const std::string name = "objects/fe/19f81a7232e0ba27daf6795839c221184bf0c2";
  EXPECT_EQ(verdict_of(packed, name), Verdict::kValid);
  EXPECT_EQ(verdict_of(with_piece(packed, 100, noise(500, 2)), name), Verdict::kBroken);
  EXPECT_EQ(verdict_of(packed.substr(0, 1500), name), Verdict::kBroken);
}

TEST(JudgeTest, AFileThatCannotBeReadIsUnknownAndSaysWhy) {
  class Failing final : public Input {
   public:
    std::uint64_t size() const override { return 5000; }
    base::Result<std::size_t> read(std::uint64_t, base::MutableByteSpan) override {
      return base::fail(base::ErrorCode::kIo, "a bad sector");
    }
  };
  Failing input;
  const Version version = judge(input, "a.txt");
  EXPECT_EQ(version.judgement.verdict, Verdict::kUnknown);
  ASSERT_FALSE(version.judgement.reasons.empty());
  EXPECT_NE(version.judgement.reasons.front().find("a bad sector"), std::string::npos);
}

// ---- Two versions ----

TEST(JudgeChangeTest, AnEditIsNoAttack) {
  const std::string before = prose(50'000);
  EXPECT_EQ(compared(before, before + "One more line.\n", "a.txt").verdict, Verdict::kValid);
  EXPECT_EQ(compared(records(50'000), records(60'000, 2), "a.rec").verdict, Verdict::kUnknown);
}

TEST(JudgeChangeTest, WhatWasWholeAndIsRandomIsBroken) {
  EXPECT_EQ(compared(prose(50'000), noise(50'000), "a.txt").verdict, Verdict::kBroken);
  EXPECT_EQ(compared(prose(50'000), noise(50'000), "a.txt.locked", "a.txt").verdict, Verdict::kBroken);
}

TEST(JudgeChangeTest, WhatNobodyKnowsAndIsRandomIsBroken) {
  EXPECT_EQ(compared(records(50'000), noise(50'000), "a.rec").verdict, Verdict::kBroken);
}

TEST(JudgeChangeTest, WhatWasRandomBeforeMayBeRandom) {
  EXPECT_EQ(compared(noise(50'000, 1), noise(50'000, 2), "container").verdict, Verdict::kOpaque);
}

TEST(JudgeChangeTest, WhatWasBrokenBeforeIsHeldAgainstNobody) {
  const std::string broken = with_piece(prose(50'000), 4096, noise(4096));
  const std::string again = with_piece(prose(50'000), 8192, noise(4096, 2));
  ASSERT_EQ(verdict_of(broken, "a.json"), Verdict::kBroken);
  EXPECT_NE(compared(broken, again, "a.json").verdict, Verdict::kBroken);
}

TEST(JudgeChangeTest, AFileThatWasWipedIsBroken) {
  EXPECT_EQ(compared(records(50'000), std::string(50'000, '\0'), "a.rec").verdict, Verdict::kBroken);
}

TEST(JudgeChangeTest, SingleBlocksThatWereReplacedAreSeenInWhatIsWrittenWhole) {
  const std::string before = noise(1 << 20);  // as compressed contents look
  std::string after = before;
  for (const std::size_t at : {100U << 10, 300U << 10, 700U << 10}) {
    after = with_piece(std::move(after), at, noise(4096, static_cast<unsigned>(at)));
  }
  Version old_version;
  old_version.judgement = {.verdict = Verdict::kValid, .kind = "mp4", .reasons = {}};
  old_version.size = before.size();
  Version new_version = old_version;
  MemoryInput old_input(base::as_bytes(before));
  MemoryInput new_input(base::as_bytes(after));
  EXPECT_EQ(judge_change(old_version, old_input, new_version, new_input, "a.mp4").verdict, Verdict::kBroken);
  // A database does so all day.
  old_version.judgement.kind = new_version.judgement.kind = "sqlite";
  EXPECT_EQ(judge_change(old_version, old_input, new_version, new_input, "a.db").verdict, Verdict::kValid);
}

TEST(JudgeChangeTest, MemoryAloneSeesBlocksThatBecameRandom) {
  const Version before = judged(records(1 << 20), "a.rec");
  const Version after = judged(with_piece(records(1 << 20), 512 << 10, noise(256 << 10)), "a.rec");
  EXPECT_EQ(judge_change(before, after, "a.rec").verdict, Verdict::kBroken);
}

// ---- Digits ----

TEST(JudgeTest, AChecksumOfAnotherLengthThanItsNameSaysIsBroken) {
  const std::string digits = "3f20094582869cbe7a40ad5590c85a0c457df05187f682d2b12d5daff91d2e26";
  EXPECT_EQ(verdict_of(digits.substr(0, 32), "graph.md5"), Verdict::kValid);
  EXPECT_EQ(verdict_of(digits.substr(0, 32) + "  graph.png\n", "graph.md5"), Verdict::kValid);
  EXPECT_EQ(verdict_of(digits, "graph.sha256"), Verdict::kValid);
  EXPECT_EQ(verdict_of(digits, "graph.md5"), Verdict::kBroken);
  EXPECT_EQ(verdict_of("1+dkr81Ll2fimEPRIQqYjz5rljW1jBMYpWNgBqmdyz0=", "graph.md5"), Verdict::kBroken);
}

}  // namespace
}  // namespace kura::detect
