#include <fstream>
#include <random>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "detect/programs/programs_kinds.h"
#include "support/detect/judging.h"

namespace kura::detect::programs_test {
namespace {

std::optional<Report> judged(base::ByteSpan bytes, std::string_view expected) {
  return test::judged_as(programs_kinds(), bytes, expected);
}

Finding finding(base::ByteSpan bytes, std::string_view expected) {
  const auto report = judged(bytes, expected);
  return report ? report->finding : Finding::kUndecided;
}

base::Bytes own_program() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void scramble(base::Bytes& bytes, std::size_t at, std::size_t size) {
  std::mt19937_64 random(at + 1);
  for (std::size_t i = at; i < std::min(at + size, bytes.size()); ++i) bytes[i] = static_cast<std::uint8_t>(random());
}

// A module with one function without parameters that returns nothing.
const base::Bytes kWasm = base::from_hex("0061736d01000000010401600000030201000a040102000b").value();

TEST(Elf, ThisProgramIsWhole) {
  const auto report = judged(own_program(), "elf");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->finding, Finding::kWhole) << report->evidence;
  for (std::size_t i = 1; i < report->stretches.size(); ++i) {
    EXPECT_LE(report->stretches[i - 1].range.end(), report->stretches[i].range.offset);
  }
}

TEST(Elf, CutShortItIsFound) {
  base::Bytes bytes = own_program();
  bytes.resize(bytes.size() / 2);
  const auto report = judged(bytes, "elf");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->finding, Finding::kBroken);
  EXPECT_TRUE(report->evidence.starts_with("it ends early")) << report->evidence;
}

TEST(Elf, EverythingAfterTheHeaderReplacedIsFound) {
  base::Bytes bytes = own_program();
  scramble(bytes, 4096, bytes.size());
  EXPECT_EQ(finding(bytes, "elf"), Finding::kBroken);
}

TEST(Elf, HeadersThatLieEnd) {
  base::Bytes bytes = own_program();
  bytes.resize(64U << 10);
  for (std::size_t at = 16; at < 64; ++at) {
    const std::uint8_t was = std::exchange(bytes[at], std::uint8_t{0xff});
    EXPECT_TRUE(judged(bytes, "elf"));
    bytes[at] = was;
  }
}

TEST(Wasm, SectionsHaveToFollowEachOther) {
  EXPECT_EQ(finding(kWasm, "wasm"), Finding::kWhole);
  for (std::size_t size = 9; size < kWasm.size(); ++size) {
    const bool between = size == 14 || size == 18;  // two sections
    EXPECT_EQ(finding(base::ByteSpan(kWasm).first(size), "wasm"), between ? Finding::kWhole : Finding::kBroken) << size;
  }
  base::Bytes bytes = kWasm;
  bytes.back() = 0;
  EXPECT_EQ(finding(bytes, "wasm"), Finding::kBroken);
}

base::Bytes whole_class() {
  const auto hex = [](std::string_view text) { return base::from_hex(text).value(); };
  base::Bytes bytes = hex("cafebabe000000340008");
  for (const std::string_view part : {"01000141", "070001", "0100106a6176612f6c616e672f4f626a656374", "070003",
                                      "01000166", "010003282949", "010004436f6465",
                                      // access, this, super, no interfaces, no fields, one method
                                      "0020", "0002", "0004", "0000", "0000", "0001", "0000", "0005", "0006", "0001",
                                      "0007", "0000000e", "0001", "0001", "00000002", "04ac", "0000", "0000",
                                      // no attributes
                                      "0000"}) {
    const base::Bytes more = hex(part);
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
  return bytes;
}

TEST(JavaClass, IsExactToTheLastByte) {
  const base::Bytes bytes = whole_class();
  EXPECT_EQ(finding(bytes, "java class"), Finding::kWhole);
  for (std::size_t size = 10; size < bytes.size(); ++size) {
    EXPECT_EQ(finding(base::ByteSpan(bytes).first(size), "java class"), Finding::kBroken) << size;
  }
  base::Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(finding(longer, "java class"), Finding::kBroken);
}

TEST(JavaClass, ConstantsOfAnotherKindAreFound) {
  base::Bytes bytes = whole_class();
  bytes[16] = 2;  // the class's name is a class
  EXPECT_EQ(finding(bytes, "java class"), Finding::kBroken);
}

// As Python 3.11 writes `None` for a module; a code object of nothing.
base::Bytes python_code() {
  base::Bytes bytes = base::from_hex("a70d0d0a00000000000000000000000063").value();
  const base::Bytes numbers(20, 0);
  bytes.insert(bytes.end(), numbers.begin(), numbers.end());
  for (int i = 0; i < 8; ++i) bytes.push_back('N');
  bytes.insert(bytes.end(), 4, 0);
  for (int i = 0; i < 2; ++i) bytes.push_back('N');
  return bytes;
}

TEST(PythonCode, ObjectsHaveToFillTheFile) {
  const base::Bytes bytes = python_code();
  EXPECT_EQ(finding(bytes, "python code"), Finding::kWhole);
  for (std::size_t size = 20; size < bytes.size(); ++size) {
    EXPECT_EQ(finding(base::ByteSpan(bytes).first(size), "python code"), Finding::kBroken) << size;
  }
}

TEST(PythonCode, ObjectsNestedWithoutEndAreRefused) {
  base::Bytes bytes = base::from_hex("a70d0d0a000000000000000000000000").value();
  bytes.push_back('c');
  bytes.insert(bytes.end(), 20, 0);
  for (int i = 0; i < 100000; ++i) bytes.insert(bytes.end(), {')', 1});
  EXPECT_EQ(finding(bytes, "python code"), Finding::kBroken);
}

// A program with one section of code, as small as the headers allow.
base::Bytes pe_program() {
  base::Bytes bytes(0x400, 0);
  const auto put = [&](std::size_t at, std::uint32_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  };
  put(0, 0x5a4d, 2);
  put(60, 0x40, 4);
  put(0x40, 0x4550, 4);
  put(0x44, 0x8664, 2);
  put(0x46, 1, 2);
  put(0x54, 240, 2);
  put(0x58, 0x20b, 2);
  put(0x58 + 32, 0x1000, 4);
  put(0x58 + 56, 0x2000, 4);
  put(0x58 + 108, 16, 4);
  const std::size_t section = 0x58 + 240;
  put(section, 0x7865742e, 4);
  put(section + 4, 0x74, 1);
  put(section + 8, 0x200, 4);
  put(section + 12, 0x1000, 4);
  put(section + 16, 0x200, 4);
  put(section + 20, 0x200, 4);
  return bytes;
}

TEST(Pe, SectionsHaveToLieInTheFile) {
  const base::Bytes bytes = pe_program();
  const auto report = judged(bytes, "pe");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->finding, Finding::kWhole) << report->evidence;
  EXPECT_EQ(report->stretches, (std::vector<Stretch>{{{0x200, 0x200}, Density::kPlain}}));
  EXPECT_EQ(finding(base::ByteSpan(bytes).first(0x300), "pe"), Finding::kBroken);
}

TEST(Pe, OnlyWhatRunsBeforeASystemMayLieAnywhereInMemory) {
  base::Bytes bytes = pe_program();
  bytes[0x58 + 240 + 12] = 0x40;  // the section's address
  EXPECT_EQ(finding(bytes, "pe"), Finding::kBroken);
  bytes[0x58 + 68] = 10;  // an application of EFI
  EXPECT_EQ(finding(bytes, "pe"), Finding::kWhole);
}

TEST(Pe, WhatLiesBehindItIsDense) {
  base::Bytes bytes = pe_program();
  bytes.resize(bytes.size() + 5000, 1);
  const auto report = judged(bytes, "pe");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->stretches.back(), (Stretch{{0x400, 5000}, Density::kDense}));
}

}  // namespace
}  // namespace kura::detect::programs_test
