#include "base/raw_buffer.h"

#include <string>

#include <gtest/gtest.h>

namespace kura::base {
namespace {

TEST(RawBufferTest, WhatWasAppendedIsThereWhateverItGrewTo) {
  RawBuffer buffer;
  std::string expected;
  for (int i = 0; i < 60'000; ++i) {
    const std::string piece = std::to_string(i) + " and a few bytes more; ";
    buffer.append(as_bytes(piece));
    expected += piece;
  }
  EXPECT_GT(expected.size(), 1U << 20) << "it has grown out of the heap";
  EXPECT_TRUE(as_text(buffer.span()) == expected);
}

TEST(RawBufferTest, RoomIsAsLargeAsAskedAndCanAllBeWritten) {
  for (const std::size_t size : {1U, 4096U, (1U << 20) - 1, 1U << 20, (2U << 20) + 1, 5U << 20}) {
    RawBuffer buffer(size);
    ASSERT_GE(buffer.capacity(), size);
    std::ranges::fill(buffer.spare(), std::uint8_t{7});
    buffer.add(size);
    EXPECT_EQ(buffer.span().back(), 7);
  }
}

TEST(RawBufferTest, TheFrontIsDroppedAndTheRestStays) {
  RawBuffer buffer;
  buffer.append(as_bytes("front and rest"));
  buffer.drop_front(6);
  EXPECT_EQ(as_text(buffer.span()), "and rest");
  buffer.drop_front(8);
  EXPECT_EQ(buffer.size(), 0U);
}

}  // namespace
}  // namespace kura::base
