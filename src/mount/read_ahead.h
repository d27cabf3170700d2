// Reads ahead of whoever reads a file from its beginning to its end.
//
// The kernel asks for 128 KiB at a time; chunks are larger, and opening one takes long against copying it. So threads
// of this object open the next chunks while the reader still has the last ones. Readers that jump cost nothing here.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "mount/chunk_source.h"
#include "mount/file_table.h"

namespace kura::mount {

// A file with what it is read from.
struct OpenedFile {
  VolumePtr volume;
  std::shared_ptr<const FileTable> table;
};

class ReadAhead {
 public:
  // How far one reader has come. Thread-safe: the kernel asks for several parts at once, and not quite in order.
  class Stream {
   public:
    // The reader wants `size` bytes from `offset`. Whether it reads on from where it was.
    bool goes_on(std::uint64_t offset, std::size_t size);
    // Claims chunks from `first` up to (not including) `end` that were not asked for yet: gives the first of them.
    std::size_t claim(std::size_t first, std::size_t end);

   private:
    struct State {
      std::uint64_t end = 0;  // of what was read furthest in this run
      unsigned in_a_row = 0;
      std::size_t asked = 0;  // chunks up to here are asked for
    };
    base::Guarded<State> state_;
  };

  // `source` outlives it.
  ReadAhead(ChunkSource& source, unsigned threads);
  ~ReadAhead();

  // To be called before a read is answered. `last` is the number of the last chunk that the read needs.
  void note(Stream& stream, const OpenedFile& file, std::uint64_t offset, std::size_t size, std::size_t last);

 private:
  struct Job {
    OpenedFile file;
    std::size_t first = 0, end = 0;  // chunks
  };
  void work();

  ChunkSource& source_;
  base::BoundedQueue<Job> jobs_;
  std::vector<std::jthread> threads_;
};

}  // namespace kura::mount
