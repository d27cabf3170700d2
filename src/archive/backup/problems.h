// What could not be read whole, told one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/progress.h"

namespace kura::archive {

// Shared by threads.
class Problems {
 public:
  using Handler = std::function<void(const std::string& path, const base::Error& error)>;

  Problems(Handler handler, base::Progress& progress) : handler_(std::move(handler)), progress_(progress) {}

  void report(const std::string& path, const base::Error& error) {
    const std::lock_guard lock(mutex_);
    ++count_;
    ++progress_.problems;
    if (handler_) handler_(path, error);
  }
  std::uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  const Handler handler_;
  base::Progress& progress_;
  mutable std::mutex mutex_;
  std::uint64_t count_ = 0;
};

}  // namespace kura::archive
