// A store that hangs on request, and a deadline in front of it.
#include "store/deadline_store.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "support/store/faulty_store.h"
#include "support/store/sample.h"
#include "support/temporary_folder.h"

namespace kura::store {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kSize = 1'700'000;  // bytes: several pieces

// What hangs, and until when.
class Gate {
 public:
  void close() { set(false); }
  void open() { set(true); }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
    --waiting_;
  }
  void wait_for_somebody() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

 private:
  void set(bool open) {
    const std::lock_guard lock(mutex_);
    is_open_ = open;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = true;
  int waiting_ = 0;
};

class DeadlineStore : public ::testing::Test {
 protected:
  DeadlineStore() {
    EXPECT_TRUE(real_->put(Kind::kPack, object_.id, object_.bytes));
    behind_->fail([gate = gate_, real = real_](FaultyStore::Call, Kind, const ObjectId&) {
      gate->pass();
      return false;
    });
  }
  ~DeadlineStore() override { gate_->open(); }

  std::unique_ptr<Store> open(milliseconds patience, const std::stop_token& stop = {}) {
    return with_deadline(behind_, patience, stop);
  }

  test::TemporaryFolder folder_;
  const std::shared_ptr<Store> real_ = create_store(folder_ / "store").value();
  const std::shared_ptr<FaultyStore> behind_ = std::make_shared<FaultyStore>(*real_);
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  const Sample object_ = sample(1, kSize);
};

TEST_F(DeadlineStore, GivesWhatTheStoreBehindGives) {
  const auto store = open(seconds(60));
  EXPECT_EQ(store->get(Kind::kPack, object_.id, kNoLimit).value(), object_.bytes);
  EXPECT_EQ(store->stat(Kind::kPack, object_.id).value().size, kSize);
  EXPECT_EQ(listed(*store, Kind::kPack), std::vector{object_.id});
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kSize - 10}) {
    base::Bytes out(size);
    ASSERT_TRUE(store->read_at(Kind::kPack, object_.id, 10, out));
    EXPECT_TRUE(std::ranges::equal(out, base::ByteSpan(object_.bytes).subspan(10, size)));
  }
  base::Bytes beyond(11);
  EXPECT_EQ(store->read_at(Kind::kPack, object_.id, kSize - 10, beyond).error().code(), ErrorCode::kDamaged);
  EXPECT_EQ(store->stat(Kind::kPack, sample(2).id).error().code(), ErrorCode::kNotFound);
}

TEST_F(DeadlineStore, EndsEveryReadWhenNothingComesAndReadsAgainOnceTheStoreIsBack) {
  const auto store = open(milliseconds(20));
  gate_->close();
  base::Bytes out(kSize);
  EXPECT_EQ(store->read_at(Kind::kPack, object_.id, 0, out).error().code(), ErrorCode::kIo);
  EXPECT_EQ(store->stat(Kind::kPack, object_.id).error().code(), ErrorCode::kIo);
  EXPECT_EQ(store->list(Kind::kPack).error().code(), ErrorCode::kIo);
  const auto got = store->get(Kind::kPack, object_.id, kNoLimit);
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().message().contains(folder_ / "store")) << got.error().message();
  gate_->open();
  const auto patient = open(seconds(60));
  ASSERT_TRUE(patient->read_at(Kind::kPack, object_.id, 0, out));
  EXPECT_EQ(out, object_.bytes);
}

TEST_F(DeadlineStore, GivesUpHoweverManyCallsHang) {
  const auto store = open(milliseconds(1));
  gate_->close();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(store->stat(Kind::kPack, object_.id)) << i;
}

TEST_F(DeadlineStore, IsGoneAtOnceThoughACallHangs) {
  gate_->close();
  EXPECT_FALSE(open(milliseconds(1))->stat(Kind::kPack, object_.id));
}

TEST_F(DeadlineStore, AStopEndsTheWait) {
  std::stop_source stop;
  const auto store = open(seconds(3600), stop.get_token());
  gate_->close();
  std::jthread reader([&] { EXPECT_EQ(store->stat(Kind::kPack, object_.id).error().code(), ErrorCode::kInterrupted); });
  gate_->wait_for_somebody();
  stop.request_stop();
}

TEST_F(DeadlineStore, ManyReadAtOnce) {
  const auto store = open(seconds(60));
  std::vector<std::jthread> readers;
  for (std::size_t reader = 0; reader < 8; ++reader) {
    readers.emplace_back([&, reader] {
      base::Bytes out(600'000);
      for (std::size_t offset = reader * 100; offset + out.size() < kSize; offset += 100'000) {
        EXPECT_TRUE(store->read_at(Kind::kPack, object_.id, offset, out));
        EXPECT_TRUE(std::ranges::equal(out, base::ByteSpan(object_.bytes).subspan(offset, out.size())));
      }
    });
  }
}

}  // namespace
}  // namespace kura::store
