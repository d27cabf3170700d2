#include "base/buffer_pool.h"

#include <gtest/gtest.h>

namespace kura::base {
namespace {

TEST(BufferPool, LendsTheSameMemoryAgainAndEmpty) {
  const BufferPool pool(2);
  std::shared_ptr<RawBuffer> buffer = pool.borrow();
  buffer->append(as_bytes("text"));
  const std::uint8_t* const memory = buffer->span().data();
  buffer.reset();
  buffer = pool.borrow();
  EXPECT_EQ(buffer->size(), 0U);
  EXPECT_EQ(buffer->spare().data(), memory);
  EXPECT_NE(pool.borrow()->spare().data(), memory);
}

TEST(BufferPool, KeepsNoMoreThanItIsTold) {
  const BufferPool pool(1);
  for (int again = 0; again < 2; ++again) {
    const auto first = pool.borrow();
    const auto second = pool.borrow();
    EXPECT_EQ((first->capacity() != 0) + (second->capacity() != 0), again);
    first->reserve(10);
    second->reserve(10);
  }
}

TEST(BufferPool, MayGoBeforeWhatItLent) {
  std::shared_ptr<RawBuffer> buffer = BufferPool(1).borrow();
  buffer->append(as_bytes("text"));
  EXPECT_EQ(as_text(buffer->span()), "text");
}

}  // namespace
}  // namespace kura::base
