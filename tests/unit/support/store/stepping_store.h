// Interleaves several jobs, each on its own store over the same disk: at any moment only one of them may call its
// store, and chance (a seed) decides when the turn goes to another.
//
//   Turns turns(seed, 2);
//   std::jthread a([&] { ... use SteppingStore(store_a, turns, 0) ...; turns.finish(0); });
//   std::jthread b([&] { ... use SteppingStore(store_b, turns, 1) ...; turns.finish(1); });
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "store/store.h"

namespace kura::store {

class Turns {
 public:
  struct Stretch {
    std::size_t job = 0;
    std::size_t steps = 0;  // or fewer, when the job finishes before
  };
  // By the script, and by chance when it is at its end.
  Turns(std::uint64_t seed, std::size_t jobs, std::deque<Stretch> script = {})
      : random_(seed), script_(std::move(script)), done_(jobs, false), steps_(jobs, 0) {
    pass_on();
  }

  // Waits for the turn of `job`. The job that has it must go on stepping until it finishes.
  void step(std::size_t job) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return current_ == job || done_[job]; });
    ++steps_[job];
    if (!done_[job] && --left_ == 0) pass_on();
  }
  // How many steps the job has made.
  std::size_t steps(std::size_t job) {
    const std::lock_guard lock(mutex_);
    return steps_[job];
  }
  // From here on the job steps freely: what its threads still do is the end of its work.
  void finish(std::size_t job) {
    const std::lock_guard lock(mutex_);
    done_[job] = true;
    if (current_ == job) pass_on();
    changed_.notify_all();
  }

 private:
  void pass_on() {
    std::vector<std::size_t> open;
    for (std::size_t job = 0; job < done_.size(); ++job) {
      if (!done_[job]) open.push_back(job);
    }
    if (open.empty()) return;
    while (!script_.empty()) {
      const Stretch next = script_.front();
      script_.pop_front();
      if (done_[next.job] || next.steps == 0) continue;
      current_ = next.job;
      left_ = next.steps;
      changed_.notify_all();
      return;
    }
    current_ = open[random_() % open.size()];
    left_ = 1 + random_() % (random_() % 4 == 0 ? 40 : 8);
    changed_.notify_all();
  }

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::mt19937_64 random_;
  std::deque<Stretch> script_;
  std::vector<bool> done_;
  std::vector<std::size_t> steps_;
  std::size_t current_ = 0;
  std::size_t left_ = 0;
};

class SteppingStore final : public Store {
 public:
  SteppingStore(std::shared_ptr<Store> real, Turns& turns, std::size_t job)
      : real_(std::move(real)), turns_(turns), job_(job) {}

  using Store::put;
  base::Status put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override {
    return turn().put(kind, id, parts);
  }
  base::Status replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override {
    return turn().replace(kind, id, parts);
  }
  base::Result<base::Bytes> get(Kind kind, const ObjectId& id, std::uint64_t limit) override {
    return turn().get(kind, id, limit);
  }
  base::Status read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) override {
    return turn().read_at(kind, id, offset, out);
  }
  base::Result<ObjectInfo> stat(Kind kind, const ObjectId& id) override { return turn().stat(kind, id); }
  base::Result<std::vector<ObjectInfo>> list(Kind kind) override { return turn().list(kind); }
  base::Status remove(Kind kind, const ObjectId& id) override { return turn().remove(kind, id); }
  bool locks_objects() const override { return real_->locks_objects(); }
  base::Status extend_locks(Kind kind, std::span<Lock> locks) override { return turn().extend_locks(kind, locks); }
  base::Status sync() override { return turn().sync(); }
  base::Result<std::int64_t> now() override { return turn().now(); }
  std::string describe() const override { return real_->describe(); }

 private:
  Store& turn() {
    turns_.step(job_);
    return *real_;
  }
  std::shared_ptr<Store> real_;
  Turns& turns_;
  const std::size_t job_;
};

}  // namespace kura::store
