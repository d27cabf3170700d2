#include "archive/restore/report.h"

namespace kura::archive {

base::Status RestoreReport::status() const {
  const std::lock_guard lock(mutex_);
  if (why_hopeless_) return base::fail(*why_hopeless_);
  if (stop_.stop_requested()) {
    return base::fail(base::ErrorCode::kInterrupted, "the restore was interrupted",
                      "run it again: it goes on where it was");
  }
  return {};
}

void RestoreReport::restored(std::uint64_t bytes_not_told) {
  files_restored.fetch_add(1, std::memory_order_relaxed);
  progress_.files_done.fetch_add(1, std::memory_order_relaxed);
  progress_.bytes_done.fetch_add(bytes_not_told, std::memory_order_relaxed);
}

void RestoreReport::skipped(std::uint64_t bytes) {
  files_skipped.fetch_add(1, std::memory_order_relaxed);
  progress_.files_done.fetch_add(1, std::memory_order_relaxed);
  progress_.bytes_done.fetch_add(bytes, std::memory_order_relaxed);
}

void RestoreReport::failed(const std::string& path, const base::Error& error) {
  files_failed.fetch_add(1, std::memory_order_relaxed);
  progress_.files_done.fetch_add(1, std::memory_order_relaxed);
  bool tell = false;
  {
    const std::lock_guard lock(mutex_);
    failed_paths_.insert(path);
    tell = is_worth_telling(error);
  }
  if (tell) problem(path, error);
}

// Under the mutex. Counts refusals; the last that is told makes the restore hopeless.
bool RestoreReport::is_worth_telling(const base::Error& error) {
  if (error.code() != base::ErrorCode::kNoSpace) return true;
  if (why_hopeless_) return false;
  if (++refusals_ < kMostRefusals) return true;
  why_hopeless_ = base::Error(base::ErrorCode::kNoSpace, "the target is full: " + error.message(),
                              "make room and run the restore again: it goes on where it was");
  hopeless_.store(true, std::memory_order_relaxed);
  return true;
}

void RestoreReport::problem(const std::string& path, const base::Error& error) {
  progress_.problems.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (on_problem_) on_problem_(path, error);
}

bool RestoreReport::has_failed(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return failed_paths_.contains(path);
}

}  // namespace kura::archive
