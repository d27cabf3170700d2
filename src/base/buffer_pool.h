// Large buffers that are lent and come back. Memory that is touched for the first time costs page faults, which on
// virtual machines take longer than most of what is done with it; and a buffer of each thread's own would be kept by
// all the threads that only wait.
//
//   BufferPool pool(4);
//   const std::shared_ptr<RawBuffer> buffer = pool.borrow();   // empty, perhaps with room; comes back by itself
//
// Thread-safe. What is lent may outlive the pool. Memory: what is lent, and up to `most_spare` of the largest ever
// lent.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "base/raw_buffer.h"

namespace kura::base {

class BufferPool {
 public:
  explicit BufferPool(std::size_t most_spare) : most_spare_(most_spare) {}

  std::shared_ptr<RawBuffer> borrow() const {
    std::unique_ptr<RawBuffer> buffer = take();
    const auto give_back = [spare = spare_, most = most_spare_](RawBuffer* returned) {
      std::unique_ptr<RawBuffer> owned(returned);
      owned->clear();
      const auto locked = spare->lock();
      if (locked->size() < most) locked->push_back(std::move(owned));
    };
    return {buffer.release(), give_back};
  }

 private:
  using Spare = Guarded<std::vector<std::unique_ptr<RawBuffer>>>;

  std::unique_ptr<RawBuffer> take() const {
    const auto spare = spare_->lock();
    if (spare->empty()) return std::make_unique<RawBuffer>();
    std::unique_ptr<RawBuffer> buffer = std::move(spare->back());
    spare->pop_back();
    return buffer;
  }

  const std::size_t most_spare_;
  const std::shared_ptr<Spare> spare_ = std::make_shared<Spare>();
};

}  // namespace kura::base
