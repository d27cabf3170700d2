#include "detect/documents/pdf.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace kura::detect::pdf_test {
namespace {

Report judge(const std::string& file) {
  MemoryInput input(base::as_bytes(file));
  Window window(input);
  EXPECT_TRUE(pdf::recognise(window));
  Budget budget = Budget::for_file(file.size());
  return pdf::check(window, budget);
}

// What Python's zlib.compress(b"Kuramori " * 40, 9) gives.
std::string packed() {
  const base::Bytes bytes = base::from_hex("78daf32e2d4acccd2fca54f01e65d09201006ee08891").value();
  return std::string(base::as_text(bytes));
}

std::string stream(int number, const std::string& data, const std::string& length) {
  return std::to_string(number) + " 0 obj\n<</Length " + length + " /Filter/FlateDecode>>\nstream\n" + data +
         "\nendstream\nendobj\n";
}

std::string document() {
  std::string file = "%PDF-1.4\n%\xE2\xE3\xCF\xD3\n1 0 obj\n<</Type/Catalog/Title(a (nested\\) one))>>\nendobj\n";
  for (int i = 2; i < 200; ++i) file += stream(i, packed(), std::to_string(packed().size()));
  return file + "xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 4/Root 1 0 R>>\nstartxref\n9\n%%EOF\n";
}

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

TEST(Pdf, AWholeDocumentIsWhole) { EXPECT_EQ(judge(document()).evidence, ""); }

TEST(Pdf, ALineOfBinaryBytesBehindTheHeaderNeedsNoSignOfAComment) {
  std::string file = document();
  file.replace(file.find("%\xE2"), 5, "zG_\xd5\xf9\xdfJ\xa4\x18");
  EXPECT_EQ(judge(file).evidence, "");
  file.insert(file.find("1 0 obj"), "\xd5\xf9\xdf\n");
  EXPECT_EQ(judge(file).finding, Finding::kBroken);
}

TEST(Pdf, ALengthThatIsWrongOrElsewhereIsWhole) {
  const std::string end = "startxref\n9\n%%EOF\n";
  EXPECT_EQ(judge("%PDF-1.4\n" + stream(1, packed(), "5 0 R") + end).evidence, "");
  EXPECT_EQ(judge("%PDF-1.4\n" + stream(1, packed(), "3") + end).evidence, "");
}

TEST(Pdf, AnyBlockReplacedByRandomBytesIsFound) {
  const std::string file = document();
  for (std::size_t at = 1024; at + 4096 < file.size(); at += 1024) {
    std::string damaged = file;
    damaged.replace(at, 4096, noise(4096));
    EXPECT_EQ(judge(damaged).finding, Finding::kBroken) << at;
  }
}

TEST(Pdf, AFlippedBitInAStreamIsFound) {
  for (std::size_t i = 2; i < packed().size(); ++i) {
    std::string data = packed();
    data[i] = static_cast<char>(data[i] ^ 0x10);
    std::string padded = data + std::string(5000, ' ');  // small ones may lack their checksum
    EXPECT_EQ(judge("%PDF-1.4\n" + stream(1, padded, std::to_string(padded.size())) + "startxref\n9\n%%EOF").finding,
              Finding::kBroken)
        << i;
  }
}

std::string with_plain_stream(const std::string& data) {
  const std::string object =
      "900 0 obj\n<</Length " + std::to_string(data.size()) + ">>\nstream\n" + data + "\nendstream\nendobj\n";
  std::string file = document();
  return file.insert(file.find("xref"), object);
}

std::string text(std::size_t size) {
  std::string bytes;
  for (int i = 0; bytes.size() < size; ++i) bytes += "1 0 0 1 " + std::to_string(i) + " 700 cm\n";
  return bytes;
}

TEST(Pdf, NoiseInATextThatNoFilterPacksIsFound) {
  const std::string whole = text(9000);
  EXPECT_EQ(judge(with_plain_stream(whole)).evidence, "");
  std::string damaged = whole;
  damaged.replace(3000, 2000, noise(2000));
  EXPECT_EQ(judge(with_plain_stream(damaged)).finding, Finding::kBroken);
}

TEST(Pdf, APictureInsideOfAPageProgramIsWhole) {
  const std::string picture = "q BI /W 40 /H 50 /BPC 8 /CS /G\nID " + noise(2000) + " EI Q\n";
  EXPECT_EQ(judge(with_plain_stream(text(1000) + picture + text(1000))).evidence, "");
}

TEST(Pdf, ARandomBlockAmongSamplesThatNoFilterPacksIsFound) {
  std::string samples;
  for (std::size_t i = 0; i < 30000; ++i) samples += static_cast<char>(i / 100 % 7 * 3);
  std::string file = with_plain_stream(samples);
  EXPECT_EQ(judge(file).evidence, "");
  const std::size_t at = (file.find("900 0 obj") / 4096 + 2) * 4096;
  file.replace(at, 4096, noise(4096));
  EXPECT_EQ(judge(file).finding, Finding::kBroken);
}

// A font's private part as it is encrypted (Type 1 font format, 7.1).
std::string eexec(const std::string& plain) {
  std::uint16_t key = 55665;
  std::string bytes;
  for (const char c : plain) {
    bytes += static_cast<char>(static_cast<std::uint8_t>(c) ^ key >> 8);
    key = static_cast<std::uint16_t>((static_cast<std::uint8_t>(bytes.back()) + key) * 52845U + 22719U);
  }
  return bytes;
}

TEST(Pdf, AFontThatNoFilterPacksSaysWhereItEnds) {
  const std::string clear = "%!PS-AdobeFont-1.0: Test\n/FontName /Test def\ncurrentfile eexec\n";
  const std::string font = clear + eexec(
                                       "\xF0\xF1\xF2\xF3"
                                       "dup /Private 8 dict dup begin\n" +
                                       text(3000) + "mark currentfile closefile\n");
  EXPECT_EQ(judge(with_plain_stream(font)).evidence, "");
  std::string damaged = font;
  damaged[clear.size() + 1000] ^= 4;
  EXPECT_EQ(judge(with_plain_stream(damaged)).finding, Finding::kBroken);
}

TEST(Pdf, CutShortIsFound) {
  const std::string file = document();
  for (std::size_t size = 64; size < file.size() - 80; size += 97) {
    EXPECT_EQ(judge(file.substr(0, size)).finding, Finding::kBroken) << size;
  }
}

TEST(Pdf, BytesBehindTheEndAreNoHarm) { EXPECT_EQ(judge(document() + noise(300)).finding, Finding::kWhole); }

TEST(Pdf, AnArchiveWithAPdfInItIsNone) {
  const std::string file = std::string(512, '\0') + document();
  MemoryInput input(base::as_bytes(file));
  Window window(input);
  EXPECT_FALSE(pdf::recognise(window));
}

}  // namespace
}  // namespace kura::detect::pdf_test
