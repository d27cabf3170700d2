// What becomes of a restore's files: counted, told, and ended early when the target is full.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <utility>

#include "archive/restore/restore.h"

namespace kura::archive {

// Shared by threads.
class RestoreReport {
 public:
  RestoreReport(base::Progress& progress, const RestoreProblem& on_problem, std::stop_token stop)
      : progress_(progress), on_problem_(on_problem), stop_(std::move(stop)) {}

  // Whether everybody should end: the caller's wish, or no hope.
  bool stopped() const { return hopeless_.load(std::memory_order_relaxed) || stop_.stop_requested(); }
  // kInterrupted, or why there was no hope.
  base::Status status() const;

  void restored(std::uint64_t bytes_not_told);  // a file, and those of its bytes that wrote() did not hear of
  void skipped(std::uint64_t bytes);
  void wrote(std::uint64_t bytes) {
    bytes_written.fetch_add(bytes, std::memory_order_relaxed);
    progress_.bytes_done.fetch_add(bytes, std::memory_order_relaxed);
  }
  void failed(const std::string& path, const base::Error& error);   // a file that is not restored
  void problem(const std::string& path, const base::Error& error);  // of less weight: contents are right
  bool has_failed(const std::string& path) const;

  std::atomic<std::uint64_t> files_restored{0}, files_skipped{0}, files_failed{0};
  std::atomic<std::uint64_t> folders{0}, others{0};
  std::atomic<std::uint64_t> bytes_written{0}, bytes_verified{0};

 private:
  base::Progress& progress_;
  const RestoreProblem& on_problem_;
  const std::stop_token stop_;
  std::atomic<bool> hopeless_{false};
  std::atomic<unsigned> refusals_in_a_row_{0};  // by a full target
  mutable std::mutex mutex_;                    // guards what follows, and calls to on_problem_
  std::optional<base::Error> why_hopeless_;
  std::unordered_set<std::string> failed_paths_;
};

}  // namespace kura::archive
