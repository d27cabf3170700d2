// Rich text, PostScript, compiled help, DjVu.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "detect/documents/documents_kinds.h"
#include "support/detect/judging.h"

namespace kura::detect::documents_test {
namespace {

Report judge(const base::Bytes& file, std::string_view name) {
  const auto report = test::judged_as(documents_kinds(), file, name);
  if (!report) ADD_FAILURE() << "not recognised as " << name;
  return report.value_or(Report());
}

Report judge(std::string_view text, std::string_view name) {
  return judge(base::Bytes(text.begin(), text.end()), name);
}

// Replaces `run` bytes of each `step` from `at` on, in `size` bytes.
base::Bytes with_noise(base::Bytes file, std::size_t at, std::size_t size, std::size_t run = 1, std::size_t step = 1) {
  std::mt19937 random(static_cast<unsigned>(at) + 11);
  for (std::size_t i = 0; i < size && at + i < file.size(); ++i) {
    if (i % step < run) file[at + i] = static_cast<std::uint8_t>(random());
  }
  return file;
}

base::Bytes lines(std::string_view head, std::string_view line, std::size_t count, std::string_view end) {
  base::Bytes file(head.begin(), head.end());
  for (std::size_t i = 0; i < count; ++i) file.insert(file.end(), line.begin(), line.end());
  file.insert(file.end(), end.begin(), end.end());
  return file;
}

void damage_is_found(const base::Bytes& file, std::string_view name) {
  for (std::size_t at = 4096; at + 4096 <= file.size(); at += 4096) {
    EXPECT_EQ(judge(with_noise(file, at, 4096), name).finding, Finding::kBroken) << at;
    EXPECT_EQ(judge(with_noise(file, at, 4096, 16, 32), name).finding, Finding::kBroken) << at;
  }
  base::Bytes cut = file;
  cut.resize(file.size() - 777);
  EXPECT_EQ(judge(cut, name).finding, Finding::kBroken);
}

base::Bytes rich_text() {
  return lines("{\\rtf1\\ansi{\\fonttbl{\\f0 Times;}}\n", "\\pard\\f0 A line of {\\b text} with \\'e9 in it.\\par\n",
               800, "}");
}

TEST(Rtf, AWholeFileIsWholeAndDamageIsFound) {
  EXPECT_EQ(judge(rich_text(), "rtf").evidence, "");
  damage_is_found(rich_text(), "rtf");
}
TEST(Rtf, BinaryDataThatIsAnnouncedIsNoDamage) {
  base::Bytes file = lines("{\\rtf1{\\pict\\bin5000 ", " ", 5000, "}}");
  EXPECT_EQ(judge(with_noise(file, 22, 4990), "rtf").evidence, "");
  EXPECT_EQ(judge("{\\rtf1{\\bin99999999999999999999 x}}", "rtf").finding, Finding::kBroken);
}
TEST(Rtf, AMissingLastBraceIsLetPass) { EXPECT_EQ(judge("{\\rtf1 {\\b text}\n", "rtf").evidence, ""); }

base::Bytes postscript() {
  return lines("%!PS-Adobe-3.0\n%%Pages: 1\n%%EndComments\n", "100 200 moveto 300 400 lineto stroke\n", 900,
               "showpage\n%%Trailer\n%%EOF\n");
}

TEST(Postscript, AWholeFileIsWholeAndNoiseIsFound) {
  EXPECT_EQ(judge(postscript(), "postscript").evidence, "");
  damage_is_found(with_noise(postscript(), 0, 0), "postscript");
}
TEST(Postscript, BinaryDataThatIsAnnouncedIsAStretch) {
  base::Bytes file = lines("%!PS-Adobe-3.0\n%%BeginData: 9000 Binary Bytes\n", " ", 9000, "\n%%EndData\n%%EOF\n");
  const Report report = judge(with_noise(file, 60, 8900), "postscript");
  EXPECT_EQ(report.evidence, "");
  EXPECT_EQ(report.stretches.size(), 1U);
}

TEST(Djvu, ChunksChain) {
  base::Bytes file(16 + 20 * 2008);
  std::ranges::copy(std::string_view("AT&TFORM\0\0\0\0DJVU", 16), file.begin());
  const auto put = [&](std::size_t at, std::size_t value) {
    for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  };
  put(8, file.size() - 12);
  for (std::size_t i = 0; i < 20; ++i) {
    std::ranges::copy(std::string_view("BG44"), file.begin() + static_cast<std::ptrdiff_t>(16 + i * 2008));
    put(16 + i * 2008 + 4, 2000);
  }
  EXPECT_EQ(judge(file, "djvu").evidence, "");
  // Stripes may miss the heads of chunks: those of 16 bytes in 32 are not claimed.
  for (std::size_t at = 4096; at + 4096 <= file.size(); at += 4096) {
    EXPECT_EQ(judge(with_noise(file, at, 4096), "djvu").finding, Finding::kBroken) << at;
  }
  file.resize(file.size() - 777);
  EXPECT_EQ(judge(file, "djvu").finding, Finding::kBroken);
}

TEST(Chm, TheDirectoryIsProven) {
  base::Bytes file(0x78 + 0x54 + 2 * 4096 + 9000);
  const auto put = [&](std::size_t at, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) file[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
  };
  put(0, 0x46535449, 4);
  put(4, 3, 4);
  put(8, 0x60, 4);
  put(0x38, 0x60, 8);
  put(0x40, 0x18, 8);
  put(0x48, 0x78, 8);
  put(0x50, 0x54 + 2 * 4096, 8);
  put(0x68, file.size(), 8);
  put(0x78, 0x50535449, 4);
  put(0x78 + 8, 0x54, 4);
  put(0x78 + 16, 4096, 4);
  put(0x78 + 44, 2, 4);
  for (const std::size_t at : {0x78U + 0x54U, 0x78U + 0x54U + 4096U}) {
    put(at, 0x4C474D50, 4);
    put(at + 4, 4096 - 20 - 100 * 10, 4);
    for (std::size_t i = 0; i < 100; ++i) put(at + 20 + 10 * i, 6, 1);
  }
  EXPECT_EQ(judge(file, "chm").evidence, "");
  EXPECT_EQ(judge(with_noise(file, 4096, 4096), "chm").finding, Finding::kBroken);
  file.resize(12000);
  EXPECT_EQ(judge(file, "chm").finding, Finding::kBroken);
}

}  // namespace
}  // namespace kura::detect::documents_test
