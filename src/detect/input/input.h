// One version of one file, as the judges of contents read it: bytes at an offset, in any order.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::detect {

// Not to be shared by threads.
class Input {
 public:
  Input() = default;
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  virtual ~Input() = default;

  // Bytes, as known when the input was made.
  virtual std::uint64_t size() const = 0;
  // Fills `into` from `offset` on; returns how many bytes there were, which is less only at the end of the file.
  virtual base::Result<std::size_t> read(std::uint64_t offset, base::MutableByteSpan into) = 0;
};

// Bytes in memory that belong to the caller and stay for as long as this is used.
class MemoryInput final : public Input {
 public:
  explicit MemoryInput(base::ByteSpan bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  base::Result<std::size_t> read(std::uint64_t offset, base::MutableByteSpan into) override;

 private:
  base::ByteSpan bytes_;
};

// A regular file, read by pread. A file that grows is read as far as it went when it was opened; one that shrinks ends
// early, which is no error.
class FileInput final : public Input {
 public:
  // `file` stays open, and the caller's, for as long as this is used. `name` is for errors.
  FileInput(int file, std::uint64_t size, std::string name) : file_(file), size_(size), name_(std::move(name)) {}
  std::uint64_t size() const override { return size_; }
  base::Result<std::size_t> read(std::uint64_t offset, base::MutableByteSpan into) override;

 private:
  int file_;
  std::uint64_t size_;
  std::string name_;
};

}  // namespace kura::detect
