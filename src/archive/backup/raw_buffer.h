// Memory for bytes that are about to be written: unlike a vector's, it is not filled with zeros first.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/bytes.h"

namespace kura::archive {

// Not shared between threads.
class RawBuffer {
 public:
  RawBuffer() = default;
  explicit RawBuffer(std::size_t capacity) { reserve(capacity); }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  base::ByteSpan span() const { return {data_.get(), size_}; }
  base::MutableByteSpan writable() { return {data_.get(), size_}; }
  // What lies between size() and capacity(); add(n) counts its first n bytes in.
  base::MutableByteSpan spare() { return {data_.get() + size_, capacity_ - size_}; }
  void add(std::size_t count) { size_ += count; }
  void clear() { size_ = 0; }

  void append(base::ByteSpan bytes) {
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
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
    if (size_ != 0) std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
    capacity_ = capacity;
  }

 private:
  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace kura::archive
