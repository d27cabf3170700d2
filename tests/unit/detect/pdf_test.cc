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
