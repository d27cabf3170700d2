#include "store/deadline_store.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/buffer_pool.h"
#include "base/mutex.h"

namespace kura::store {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostThreads = 64;
constexpr std::size_t kPiece = 512 << 10;  // bytes
constexpr int kWholeObject = 6;            // times the patience
constexpr std::size_t kMostSpare = 4;      // buffers

// Threads that make calls which may hang. Each of them owns it, too: the last one to come back lets go of it.
class Callers : public std::enable_shared_from_this<Callers> {
 public:
  enum class End : std::uint8_t { kReturned, kTooLate, kStopped };
  // Calls `work` on a thread. When it has not returned in time, what it uses stays its own. An exception of it is
  // thrown here.
  End call(milliseconds patience, std::function<void()> work) KURA_EXCLUDES(mutex_) {
    const auto call = std::make_shared<Call>(std::move(work));
    const Clock::time_point end = Clock::now() + patience;
    const base::MutexLock lock(mutex_);
    waiting_.push_back(call);
    if (waiting_.size() > idle_ && threads_ < kMostThreads) begin_thread();
    wake_.notify_one();
    bool in_time = true;
    while (!call->returned && !stopped_ && in_time) in_time = returned_.wait_until(mutex_, end);
    if (call->failure) std::rethrow_exception(call->failure);
    if (call->returned) return End::kReturned;
    call->given_up = true;
    if (call->begun) {
      ++hanging_;
    } else {
      std::erase(waiting_, call);
    }
    return stopped_ ? End::kStopped : End::kTooLate;
  }

  // Nobody waits for a call from now on.
  void stop() KURA_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    stopped_ = true;
    returned_.notify_all();
  }

  // Returns when all threads have ended but those that hang.
  void end() KURA_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    ending_ = true;
    wake_.notify_all();
    while (threads_ > hanging_) ended_.wait(mutex_);
  }

 private:
  struct Call {
    explicit Call(std::function<void()> what) : work(std::move(what)) {}
    std::function<void()> work;
    std::exception_ptr failure;
    bool begun = false, returned = false, given_up = false;
  };

  void begin_thread() KURA_REQUIRES(mutex_) {
    std::thread([self = shared_from_this()] { self->work(); }).detach();
    ++threads_;
  }

  void work() KURA_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    while (!ending_) {
      if (waiting_.empty()) {
        ++idle_;
        wake_.wait(mutex_);
        --idle_;
        continue;
      }
      const std::shared_ptr<Call> call = std::move(waiting_.front());
      waiting_.pop_front();
      make(*call);
    }
    --threads_;
    ended_.notify_all();
  }

  void make(Call& call) KURA_REQUIRES(mutex_) {
    call.begun = true;
    mutex_.unlock();
    std::exception_ptr failure;
    try {
      call.work();
    } catch (...) {
      failure = std::current_exception();
    }
    call.work = nullptr;
    mutex_.lock();
    call.failure = failure;
    call.returned = true;
    if (call.given_up) --hanging_;
    returned_.notify_all();
  }

  base::Mutex mutex_;
  base::CondVar wake_, returned_, ended_;
  std::deque<std::shared_ptr<Call>> waiting_ KURA_GUARDED_BY(mutex_);
  std::size_t threads_ KURA_GUARDED_BY(mutex_) = 0;
  std::size_t idle_ KURA_GUARDED_BY(mutex_) = 0;
  std::size_t hanging_ KURA_GUARDED_BY(mutex_) = 0;  // threads whose call was given up
  bool stopped_ KURA_GUARDED_BY(mutex_) = false;
  bool ending_ KURA_GUARDED_BY(mutex_) = false;
};

class DeadlineStore final : public Store {
 public:
  DeadlineStore(std::shared_ptr<Store> store, milliseconds patience, const std::stop_token& stop)
      : store_(std::move(store)), patience_(patience), on_stop_(stop, [this] { callers_->stop(); }) {}
  ~DeadlineStore() override { callers_->end(); }

  using Store::put;
  Status put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override {
    return store_->put(kind, id, parts);
  }
  Status replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override {
    return store_->replace(kind, id, parts);
  }
  Result<base::Bytes> get(Kind kind, const ObjectId& id, std::uint64_t limit) override {
    return call<Result<base::Bytes>>(kWholeObject * patience_,
                                     [=, store = store_] { return store->get(kind, id, limit); });
  }
  Status read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) override;
  Result<ObjectInfo> stat(Kind kind, const ObjectId& id) override {
    return call<Result<ObjectInfo>>(patience_, [=, store = store_] { return store->stat(kind, id); });
  }
  Result<std::vector<ObjectInfo>> list(Kind kind) override {
    return call<Result<std::vector<ObjectInfo>>>(patience_, [=, store = store_] { return store->list(kind); });
  }
  Status remove(Kind kind, const ObjectId& id) override { return store_->remove(kind, id); }
  bool locks_objects() const override { return store_->locks_objects(); }
  Status extend_locks(Kind kind, std::span<Lock> locks) override { return store_->extend_locks(kind, locks); }
  unsigned requests_at_once() const override { return store_->requests_at_once(); }
  Status sync() override { return store_->sync(); }
  Result<std::int64_t> now() override { return store_->now(); }
  std::int64_t clock_error() const override { return store_->clock_error(); }
  std::string describe() const override { return store_->describe(); }

 private:
  // `ask` owns all that it uses: it may go on after this has returned.
  template <typename Answer>
  Answer call(milliseconds patience, std::function<Answer()> ask) {
    const auto answer = std::make_shared<std::optional<Answer>>();
    const Callers::End end = callers_->call(patience, [=] { answer->emplace(ask()); });
    if (end == Callers::End::kReturned) return *std::move(*answer);
    if (end == Callers::End::kStopped) return base::fail(ErrorCode::kInterrupted, "interrupted");
    return base::fail(ErrorCode::kIo,
                      fmt::format("{} has not answered for {} seconds", describe(), patience / std::chrono::seconds(1)),
                      "see whether its disk or server is well");
  }

  const std::shared_ptr<Store> store_;
  const milliseconds patience_;
  const std::shared_ptr<Callers> callers_ = std::make_shared<Callers>();
  const base::BufferPool buffers_{kMostSpare};
  std::stop_callback<std::function<void()>> on_stop_;  // last: it uses what is above
};

// Into a buffer that a call which is given up may keep.
Status DeadlineStore::read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) {
  const std::shared_ptr<base::RawBuffer> buffer = buffers_.borrow();
  buffer->reserve(kPiece);
  do {
    const std::size_t size = std::min(out.size(), kPiece);
    KURA_TRY(call<Status>(
        patience_, [=, store = store_] { return store->read_at(kind, id, offset, buffer->spare().first(size)); }));
    std::ranges::copy(buffer->spare().first(size), out.begin());
    out = out.subspan(size);
    offset += size;
  } while (!out.empty());
  return {};
}

}  // namespace

std::unique_ptr<Store> with_deadline(std::shared_ptr<Store> store, milliseconds patience, const std::stop_token& stop) {
  return std::make_unique<DeadlineStore>(std::move(store), patience, stop);
}

}  // namespace kura::store
