#include "detect/codec/inflate.h"

#include <string>

#include <gtest/gtest.h>

namespace kura::detect {
namespace {

base::Bytes hex(std::string_view text) { return base::from_hex(text).value(); }

// What Python's zlib.compress(b"Kuramori " * 40, 9) gives.
const base::Bytes kZlib = hex("78daf32e2d4acccd2fca54f01e65d09201006ee08891");

TEST(Inflate, EndsWhereTheStreamEndsAndTellsWhatCameOut) {
  base::Bytes file = kZlib;
  file.insert(file.end(), {1, 2, 3, 4, 5, 6, 7, 8, 9});
  MemoryInput input(file);
  Window window(input);
  Budget budget(1 << 20);
  std::string out;
  const Inflated end = inflate(window, {0, file.size()}, Wrapping::kZlib, budget, [&](base::ByteSpan made) {
    out += base::as_text(made);
    return true;
  });
  ASSERT_EQ(end.end, InflateEnd::kDone);
  EXPECT_EQ(end.used, kZlib.size());
  EXPECT_EQ(end.made, out.size());
  EXPECT_EQ(end.crc32, crc32(base::as_bytes(out)));
}

// ISO 3309's check value.
TEST(Inflate, CountsTheChecksumOfTheStandard) { EXPECT_EQ(crc32(base::as_bytes("123456789")), 0xCBF43926); }

}  // namespace
}  // namespace kura::detect
