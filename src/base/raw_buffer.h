// Memory for bytes that are about to be written: unlike a vector's, it is not filled with zeros first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

#include "base/bytes.h"

namespace kura::base {

// Not shared between threads. Large ones ask for huge pages: on virtual machines a page fault may cost more than all
// else that is done with the 4 KiB behind it (docs/performance.md). Throws std::bad_alloc.
class RawBuffer {
 public:
  RawBuffer() = default;
  explicit RawBuffer(std::size_t capacity) { reserve(capacity); }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  ByteSpan span() const { return {data_.get(), size_}; }
  MutableByteSpan writable() { return {data_.get(), size_}; }
  // What lies between size() and capacity(); add(n) counts its first n bytes in.
  MutableByteSpan spare() { return {data_.get() + size_, capacity_ - size_}; }
  void add(std::size_t count) { size_ += count; }
  void clear() { size_ = 0; }

  void append(ByteSpan bytes) {
    if (capacity_ - size_ < bytes.size()) reserve(std::max(size_ + bytes.size(), 2 * capacity_));
    if (!bytes.empty()) std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Drops the first `count` bytes.
  void drop_front(std::size_t count) {
    if (count == 0) return;
    size_ -= count;
    if (size_ != 0) std::memmove(data_.get(), data_.get() + count, size_);
  }
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    Memory larger = allocate(capacity);
    if (size_ != 0) std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
  }

 private:
  struct Free {
    Free() : mapped(0) {}
    explicit Free(std::size_t mapped_size) : mapped(mapped_size) {}
    std::size_t mapped;  // bytes; 0: from the heap
    void operator()(std::uint8_t* bytes) const;
  };
  using Memory = std::unique_ptr<std::uint8_t[], Free>;
  // Sets capacity_, which may be more than asked for.
  Memory allocate(std::size_t capacity);

  Memory data_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace kura::base
