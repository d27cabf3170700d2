#include "detect/judge/pair.h"

#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "detect/judge/judge.h"
#include "support/detect/archive_samples.h"

namespace kura::detect {
namespace {

Version version_of(base::ByteSpan contents, std::string_view name) {
  MemoryInput input(contents);
  return judge(input, name);
}

base::Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

Version of_kind(Verdict verdict, std::string kind) {
  Version version;
  version.judgement = {verdict, std::move(kind), {}};
  version.size = 9000;
  return version;
}

Verdict after(const Version& before, const base::Bytes& now, std::string_view name) {
  return judge_change(before, version_of(now, name), name).verdict;
}

TEST(Pair, AFileThatWasEncryptedByDesignHasAFormToLose) {
  const base::Bytes random = samples::noise(9000);
  EXPECT_EQ(after(of_kind(Verdict::kOpaque, "pkcs12"), random, "key.p12"), Verdict::kBroken);
  EXPECT_EQ(after(of_kind(Verdict::kOpaque, "pkcs12"), random, "key.p12.locked"), Verdict::kBroken);
  EXPECT_NE(after(of_kind(Verdict::kOpaque, ""), random, "container"), Verdict::kBroken);
  // A table with a password is a compound file, which its name does not say.
  EXPECT_EQ(after(of_kind(Verdict::kOpaque, "cfb"), random, "plan.xlsx"), Verdict::kBroken);
  EXPECT_EQ(after(of_kind(Verdict::kOpaque, "cfb"), random, "plan.xlsx.locked"), Verdict::kBroken);
}

TEST(Pair, ANameThatSaysNothingDoesNotHideThatTheKindIsGone) {
  EXPECT_EQ(after(of_kind(Verdict::kValid, "utf-8 text"), samples::noise(120), "README"), Verdict::kBroken);
  EXPECT_EQ(after(of_kind(Verdict::kValid, "elf"), samples::noise(9000), "nohup"), Verdict::kBroken);
}

TEST(Pair, APictureThatWasSavedAsAnotherKindAndATinyTextInAnotherEncodingAreNoAttack) {
  std::string picture = "P5\n60 60\n255\n";
  for (int i = 0; i < 3600; ++i) picture += static_cast<char>(i / 60 + i % 60);
  EXPECT_NE(after(of_kind(Verdict::kValid, "utf-8 text"), bytes_of(picture), "paper.pgm"), Verdict::kBroken);
  const std::string utf16(
      "1\0"
      "2\0"
      "\n\0",
      6);
  EXPECT_NE(after(version_of(bytes_of("12\n"), "serial.txt"), bytes_of(utf16), "serial.txt"), Verdict::kBroken);
}

TEST(Pair, ASmallFileOfAKindThatIsNoTextHasAFormToLoseHoweverLittleOfItIsRandom) {
  base::Bytes half = samples::noise(48);
  half.resize(96);
  EXPECT_EQ(after(of_kind(Verdict::kValid, "png"), half, "dot.png"), Verdict::kBroken);
  Version as_long = of_kind(Verdict::kValid, "png");
  as_long.size = half.size();
  EXPECT_EQ(after(as_long, half, "dot.png.locked"), Verdict::kBroken);
  EXPECT_NE(after(of_kind(Verdict::kValid, "gzip"), half, "dot.gz.unpacked"), Verdict::kBroken);
}

TEST(Pair, AFewBytesInPaddedBase64AreSeenByTheirNumber) {
  const Version words = version_of(bytes_of("a few bytes"), "list.csv");
  EXPECT_EQ(after(words, bytes_of("Zk9xVb2Q0hX7aKc="), "list.csv"), Verdict::kBroken);
  EXPECT_EQ(after(version_of(bytes_of("a few bytes more"), "list.csv"), bytes_of("Zk9xVb2Q0hX7aKc="), "list.csv"),
            Verdict::kValid);
}

TEST(Pair, SmallCiphertextInBase64OrHexadecimalIsSeenByWhatWasThereBefore) {
  const base::Bytes base64 = bytes_of("c3VwZXJzZWNyZXQgYnl0ZXMgb2YgYSBjaXBoZXJ0ZXh0IQ9Zk3xVb2Q=\n");
  const base::Bytes digits =
      bytes_of("8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d8f14e45fceea167a5a");
  const base::Bytes digest = bytes_of("8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d");
  const Version prose = version_of(bytes_of("What lies here is old, nobody needs it.\n"), "a.txt");
  EXPECT_EQ(after(prose, base64, "a.txt"), Verdict::kBroken);
  EXPECT_EQ(after(prose, digits, "a.txt"), Verdict::kBroken);
  EXPECT_EQ(after(of_kind(Verdict::kValid, "png"), base64, "a.png"), Verdict::kBroken);
  // A token that is replaced by another one, prose by words or a digest, and what is too short to be it.
  EXPECT_EQ(after(version_of(digits, "token.txt"), base64, "token.txt"), Verdict::kValid);
  EXPECT_EQ(after(version_of(bytes_of("What lies in here was old.\n"), "a.txt"), digest, "a.txt"), Verdict::kValid);
  EXPECT_EQ(after(version_of(bytes_of(std::string(90, 'x')), "a.txt"), base64, "a.txt"), Verdict::kValid);
  EXPECT_EQ(after(prose, bytes_of("MemoryInput\nJudgement\nTokenBucket\n"), "a.txt"), Verdict::kValid);
}

}  // namespace
}  // namespace kura::detect
