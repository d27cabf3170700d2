// Reads a journal's file, entry by entry.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::vault {

// Not shared between threads. Memory: 1 MiB or the longest entry.
class EntryReader {
 public:
  // `fd` is open for reading and outlives it; `path` is for messages.
  EntryReader(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  // The bytes of the next whole entry, valid until the next call; empty at the end of the file. kDamaged when the file
  // ends in the middle of one, or no entry can be as long as it says: position() is then where that one begins.
  base::Result<base::ByteSpan> next();
  // Where the next entry begins.
  std::uint64_t position() const { return buffer_at_ + begin_; }

 private:
  base::Result<bool> have(std::size_t count);

  int fd_;
  std::string path_;
  base::Bytes buffer_;  // of the file, from buffer_at_ on
  std::uint64_t buffer_at_ = 0;
  std::size_t begin_ = 0;  // of the next entry, in buffer_
};

}  // namespace kura::vault
