#include "base/bounded_queue.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/guarded.h"

namespace kura::base {
namespace {

TEST(BoundedQueueTest, GivesItemsInTheirOrder) {
  BoundedQueue<std::unique_ptr<int>> queue(3);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.push(std::make_unique<int>(i)));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(**queue.pop(), i);
}

TEST(BoundedQueueTest, AfterCloseTheRestIsDrainedAndPushesFail) {
  BoundedQueue<int> queue(3);
  ASSERT_TRUE(queue.push(1));
  ASSERT_TRUE(queue.push(2));
  queue.close();
  queue.close();
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueueTest, CancelDropsTheRest) {
  BoundedQueue<int> queue(3);
  ASSERT_TRUE(queue.push(1));
  queue.cancel();
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_FALSE(queue.push(2));
}

TEST(BoundedQueueTest, CloseWakesAllWhoWait) {
  BoundedQueue<int> empty(1);
  BoundedQueue<int> full(1);
  ASSERT_TRUE(full.push(0));
  std::atomic<int> given_up{0};
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] { given_up += empty.pop() == std::nullopt ? 1 : 0; });
    waiting.emplace_back([&] { given_up += full.push(1) ? 0 : 1; });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // most of them wait by now; all must end in any case
  empty.close();
  full.close();
  waiting.clear();
  EXPECT_EQ(given_up, 6);
}

TEST(BoundedQueueTest, ManyThreadsLoseAndDoubleNothingAndStayInBounds) {
  constexpr int kEach = 2000, kProducers = 3, kConsumers = 3;
  constexpr std::size_t kCapacity = 4, kAll = std::size_t{kEach} * kProducers;
  BoundedQueue<int> queue(kCapacity);
  std::vector<std::atomic<int>> seen(kAll);
  std::atomic<bool> overfull{false};
  {
    std::vector<std::jthread> consumers;
    for (int c = 0; c < kConsumers; ++c) {
      consumers.emplace_back([&] {
        while (const auto item = queue.pop()) {
          seen[static_cast<std::size_t>(*item)]++;
          if (queue.size() > kCapacity) overfull = true;
        }
      });
    }
    std::vector<std::jthread> producers;
    for (int p = 0; p < kProducers; ++p) {
      producers.emplace_back([&queue, p] {
        for (int i = 0; i < kEach; ++i) ASSERT_TRUE(queue.push(p * kEach + i));
      });
    }
    producers.clear();
    queue.close();
  }
  for (const auto& count : seen) EXPECT_EQ(count, 1);
  EXPECT_FALSE(overfull);
}

TEST(GuardedTest, OneThreadAtATimeReachesTheValue) {
  Guarded<int> counter(5);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 10000; ++i) ++*counter.lock();
      });
    }
  }
  const auto& read_only = counter;
  EXPECT_EQ(*read_only.lock(), 40005);
}

TEST(CondVarTest, SaysWhenTheTimeIsOver) {
  Mutex mutex;
  CondVar changed;
  MutexLock lock(mutex);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  while (changed.wait_until(mutex, end)) {
  }
  EXPECT_GE(std::chrono::steady_clock::now(), end);
}

}  // namespace
}  // namespace kura::base
