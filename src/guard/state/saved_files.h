// Old contents of files, saved before somebody changes them: by reflink where the file system can, else as a copy,
// within a bound of space. The oldest go first; what an open incident needs stays.
//
// Shared between threads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "guard/state/memory.h"

namespace kura::guard {

struct SaveBounds {
  std::uint64_t space = 4ULL << 30;      // of all
  std::uint64_t one_copy = 64ULL << 20;  // of one file that has to be copied; reflinks have no such bound
};

enum class SaveResult : std::uint8_t { kSaved, kKnown, kEmpty, kTooLarge, kNoSpace, kLate, kFailed };
std::string_view name_of(SaveResult result);

class SavedFiles {
 public:
  static base::Result<std::unique_ptr<SavedFiles>> open(std::string folder, SaveBounds bounds, Memory& memory);

  // Saves what `fd` holds, unless the same contents are saved already. Gives up at `end`. `gone`: when it lost its
  // name, of a file that is saved after that; else 0.
  SaveResult save(int fd, const std::string& path, const std::string& actor, std::chrono::steady_clock::time_point end,
                  std::int64_t gone = 0);
  base::Result<base::UniqueFd> open_saved(std::int64_t id) const;
  static std::string file_name(const std::string& folder, std::int64_t id);
  bool reflinks() const { return reflinks_; }
  std::uint64_t bytes() const { return used_; }

 private:
  SavedFiles(std::string folder, SaveBounds bounds, Memory& memory)
      : folder_(std::move(folder)), bounds_(bounds), memory_(memory), used_(memory.saved_bytes()) {}
  bool is_known(std::uint64_t inode, std::int64_t modified, std::uint64_t size) KURA_EXCLUDES(mutex_);
  void learn(std::uint64_t inode, std::int64_t modified, std::uint64_t size) KURA_EXCLUDES(mutex_);
  bool make_room(std::uint64_t size) KURA_EXCLUDES(mutex_);

  struct Known {
    std::int64_t modified = 0;
    std::uint64_t size = 0;
  };
  static constexpr std::size_t kMostKnown = 65536;

  const std::string folder_;
  const SaveBounds bounds_;
  Memory& memory_;
  std::atomic<std::uint64_t> used_;
  std::atomic<bool> reflinks_{false};
  std::atomic<std::uint64_t> temporary_{0};
  base::Mutex mutex_;
  std::unordered_map<std::uint64_t, Known> known_ KURA_GUARDED_BY(mutex_);  // by inode
};

}  // namespace kura::guard
