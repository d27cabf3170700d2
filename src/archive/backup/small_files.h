// Opens, reads and closes many small files at once through io_uring, where a system call each costs more than what it
// does (docs/performance.md). Only what went as expected is taken from here: everything else is left to the ordinary
// way, which finds out what is the matter and says it.
#pragma once

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "archive/backup/batch_window.h"
#include "base/bytes.h"
#include "base/raw_buffer.h"

namespace kura::archive {

// For every file that a backup reads. Not blocking: a fifo may have taken the file's place.
constexpr int kReadFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

struct SmallFile {
  int fd = -1;               // open until the next fetch() or let_go(); -1: this file was not fetched
  base::ByteSpan bytes;      // as many as the walk said; valid as long as `fd`
  std::int64_t read_at = 0;  // ns since 1970, before it was opened
};

// One for each thread. Memory: 2 MiB, and a ring of 64 requests, from the first batch of small files on.
class SmallFiles {
 public:
  SmallFiles();
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles();

  // One for each of `reads`, in their order. Nothing is fetched of files that are long, empty or sparse, nor where too
  // few are small, nor where the kernel has no io_uring, forbids it, or KURA_IO_URING=off is in the environment.
  // Whether a file is still what the walk saw is the caller's to look at, after this.
  std::span<const SmallFile> fetch(const Batch& batch);
  // Closes all. Costs one system call.
  void let_go();

 private:
  class Ring;
  std::vector<std::size_t> choose(const Batch& batch) const;
  void open(const Batch& batch, std::span<const std::size_t> chosen);
  void read(const Batch& batch, std::span<const std::size_t> chosen);
  bool ready();

  std::unique_ptr<Ring> ring_;
  bool unavailable_ = false;
  base::RawBuffer memory_;
  std::vector<SmallFile> files_;
};

}  // namespace kura::archive
