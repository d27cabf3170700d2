#include <random>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "detect/text/disguise.h"
#include "detect/text/encoding.h"
#include "detect/text/text_kinds.h"

namespace kura::detect::text_test {
namespace {

base::Bytes random_bytes(std::size_t size, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  base::Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

std::string repeated(std::string_view line, std::size_t size) {
  std::string text;
  while (text.size() < size) text += std::string(line) + std::to_string(text.size()) + "\n";
  return text;
}

// What the first kind of text that knows it says; nothing when none does.
std::optional<Report> judged(base::ByteSpan bytes, std::string* kind_name = nullptr) {
  MemoryInput input(bytes);
  Window window(input);
  for (const Kind& kind : text_kinds()) {
    if (!kind.recognise(window)) continue;
    if (kind_name != nullptr) *kind_name = kind.name;
    Budget budget = Budget::for_file(bytes.size());
    return kind.check(window, budget);
  }
  return std::nullopt;
}

bool is_whole(std::string_view text, std::string_view name) {
  std::string found;
  const auto report = judged(base::as_bytes(text), &found);
  EXPECT_EQ(found, name);
  return report && report->finding == Finding::kWhole;
}

bool is_found(std::string_view text) {
  const auto report = judged(base::as_bytes(text));
  return !report || report->finding == Finding::kBroken;
}

void put(std::string& text, std::size_t at, const base::Bytes& bytes) {
  text.replace(at, bytes.size(), base::as_text(bytes));
}

std::string base64(base::ByteSpan bytes) {
  static constexpr std::string_view kSigns = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i + 3 <= bytes.size(); i += 3) {
    const unsigned three =
        static_cast<unsigned>(bytes[i]) << 16 | static_cast<unsigned>(bytes[i + 1]) << 8 | bytes[i + 2];
    for (const unsigned shift : {18U, 12U, 6U, 0U}) out.push_back(kSigns[three >> shift & 63]);
    if (i % 57 == 54) out.push_back('\n');
  }
  return out;
}

TEST(Text, WholeTextsAreKnownByTheirEncoding) {
  EXPECT_TRUE(is_whole(repeated("plain words, and numbers ", 9000), "utf-8 text"));
  EXPECT_TRUE(is_whole(repeated("請求書の控え ", 9000), "utf-8 text"));
  EXPECT_TRUE(is_whole(repeated("\x1b$B@A5a=q\x1b(B ", 9000), "iso-2022 text"));
  EXPECT_TRUE(is_whole(repeated("\x90\xbf\x8b\x81\x8f\x91\x82\xcc\x8d\x54\x82\xa6 ", 9000), "shift_jis text"));
  EXPECT_TRUE(is_whole(repeated("\xc0\xc1\xb5\xe1\xbd\xf1 ", 9000), "euc text"));
  EXPECT_TRUE(is_whole(repeated("Stra\xdf"
                                "e in M\xfcnchen ",
                                9000),
                       "8-bit text"));
}

std::string utf16(std::string_view ascii) {
  std::string wide = "\xff\xfe";
  for (const char c : ascii) wide += {c, '\0'};
  return wide;
}

TEST(Text, Utf16IsKnownWithAndWithoutAMark) {
  const std::string marked = utf16(repeated("[HKEY_LOCAL_MACHINE] ", 9000));
  EXPECT_TRUE(is_whole(marked, "utf-16 text"));
  EXPECT_TRUE(is_whole(std::string_view(marked).substr(2), "utf-16 text"));
}

TEST(Text, ABlockOfRandomBytesIsFoundWhereverItLies) {
  const std::string eight = repeated("M\xfcller; ", 40000);
  const std::string wide = utf16(repeated("name=value ", 40000));
  for (const std::string& whole : {repeated("a line of a log ", 40000), eight, wide}) {
    for (std::size_t at = 0; at + 4096 <= whole.size(); at += 3 * 4096) {
      std::string text = whole;
      put(text, at, random_bytes(4096, at + 1));
      EXPECT_TRUE(is_found(text)) << at;
    }
  }
}

TEST(Text, RunsOf16RandomBytesAreFound) {
  for (std::string text :
       {repeated("a line of a log ", 40000), repeated("請求書 ", 300), utf16(repeated("wide ", 8000))}) {
    for (std::size_t at = 0; at + 16 <= text.size(); at += 32) put(text, at, random_bytes(16, at + 1));
    EXPECT_TRUE(is_found(text));
  }
}

TEST(Text, ATextWhoseHeadWasEncryptedIsStillKnownAndBroken) {
  std::string text = repeated("a line of a log ", 60000);
  put(text, 0, random_bytes(4096));
  const auto report = judged(base::as_bytes(text));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->finding, Finding::kBroken);
  EXPECT_FALSE(report->evidence.empty());
}

TEST(Text, APackedLoadBehindAScriptIsNoDamage) {
  std::string text = repeated("echo installing ", 9000) + "\x1f\x8b\x08";
  text += base::as_text(random_bytes(50000));
  const auto report = judged(base::as_bytes(text));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->finding, Finding::kWhole);
  EXPECT_EQ(report->stretches.back().density, Density::kDense);
}

TEST(Text, ZerosAtTheEndOfALogAreNoDamage) {
  const auto report = judged(base::as_bytes(repeated("a line of a log ", 9000) + std::string(8000, '\0')));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->finding, Finding::kWhole);
}

RC_GTEST_PROP(Text, RandomBytesAreNeverAWholeText, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(128, 20000);
  const auto report = judged(random_bytes(size, *rc::gen::arbitrary<std::uint64_t>()));
  const bool found = !report || report->finding == Finding::kBroken;
  RC_ASSERT(found);
}

TEST(Disguise, Base64OfRandomBytesIsFound) {
  const auto report = judged(base::as_bytes(base64(random_bytes(9000))));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->finding, Finding::kBroken);
  EXPECT_EQ(report->evidence, "it is base64 of what looks random");
}

TEST(Disguise, HexadecimalDigitsOfRandomBytesAreFound) { EXPECT_TRUE(is_found(base::to_hex(random_bytes(9000)))); }

TEST(Disguise, CodesThatSayWhatTheyAreAreWhole) {
  const std::string code = base64(random_bytes(9000));
  EXPECT_TRUE(is_whole("-----BEGIN CERTIFICATE-----\n" + code + "-----END CERTIFICATE-----\n", "utf-8 text"));
  EXPECT_TRUE(is_whole("Content-Transfer-Encoding: base64\n\n" + code, "utf-8 text"));
  base::Bytes zip = random_bytes(9000);
  std::ranges::copy(base::as_bytes("PK\3\4"), zip.begin());
  EXPECT_TRUE(is_whole(base64(zip), "utf-8 text"));
}

TEST(Disguise, AMarkAcrossTwoPiecesIsSeen) {
  const std::string mark = "Content-Transfer-Encoding: base64\n\n", code = base64(random_bytes(30'000));
  for (std::size_t before = 1024 - mark.size(); before <= 1024; ++before) {
    EXPECT_TRUE(is_whole(std::string(before, 'x') + mark + code, "utf-8 text")) << before;
  }
}

TEST(Disguise, AMarkIsRememberedOverPartsOfACodeThatAreUneven) {
  const std::string plain = base64(base::Bytes(3000, 0));
  EXPECT_TRUE(is_whole("Content-Transfer-Encoding: base64\n\n" + plain + base64(random_bytes(60'000)), "utf-8 text"));
  EXPECT_TRUE(is_found(plain + base64(random_bytes(60'000))));
}

TEST(Disguise, ListsOfDigestsAreWhole) {
  std::string list;
  for (std::uint64_t i = 0; i < 200; ++i) list += base::to_hex(random_bytes(32, i + 1)) + "\n";
  EXPECT_TRUE(is_whole(list, "utf-8 text"));
}

TEST(Disguise, WhatOpenSslEncryptedIsACipher) {
  base::Bytes bytes = random_bytes(9000);
  std::ranges::copy(base::as_bytes("Salted__"), bytes.begin());
  const auto report = judged(base::as_bytes(base64(bytes)));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->finding, Finding::kCipher);
}

TEST(MessageCatalog, TextsHaveToEndWhereTheTablesSay) {
  // One original of two letters, and its translation of three.
  const std::string file(
      "\xde\x12\x04\x95\0\0\0\0\1\0\0\0\x1c\0\0\0\x24\0\0\0\0\0\0\0\0\0\0\0"
      "\2\0\0\0\x2c\0\0\0\3\0\0\0\x2f\0\0\0Ja\0yes\0",
      51);
  EXPECT_TRUE(is_whole(file, "message catalog"));
  EXPECT_TRUE(is_found(file.substr(0, 50)));
  std::string damaged = file;
  damaged.replace(28, 16, base::as_text(random_bytes(16)));
  EXPECT_TRUE(is_found(damaged));
}

TEST(HexRecords, EachChecksumIsProven) {
  const std::string file =
      ":10010000214601360121470136007EFE09D2190140\r\n:100110002146017E17C20001FF5F16002148011928\r\n"
      ":10012000194E79234623965778239EDA3F01B2CAA7\r\n:00000001FF\r\n";
  EXPECT_TRUE(is_whole(file, "hex records"));
  EXPECT_TRUE(is_found(file.substr(0, file.size() - 13)));  // without its last record
  std::string flipped = file;
  flipped[140] = flipped[140] == '0' ? '1' : '0';
  EXPECT_TRUE(is_found(flipped));
}

}  // namespace
}  // namespace kura::detect::text_test
