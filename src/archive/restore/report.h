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

// A target that has refused so many files is full. Before that, small files may still fit where a large one did not.
// They are counted over the whole run: the room that refused files give back lets others in between succeed, more or
// fewer by chance.
inline constexpr unsigned kMostRefusals = 16;

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
  // A file that is not restored. Told, but for what a target refuses that is known to be full: those files were under
  // way by chance, and status() speaks for all that are missing.
  void failed(const std::string& path, const base::Error& error);
  void problem(const std::string& path, const base::Error& error);  // of less weight: contents are right
  bool has_failed(const std::string& path) const;

  std::atomic<std::uint64_t> files_restored{0}, files_skipped{0}, files_failed{0};
  std::atomic<std::uint64_t> folders{0}, others{0};
  std::atomic<std::uint64_t> bytes_written{0}, bytes_verified{0};

 private:
  bool is_worth_telling(const base::Error& error);

  base::Progress& progress_;
  const RestoreProblem& on_problem_;
  const std::stop_token stop_;
  std::atomic<bool> hopeless_{false};
  mutable std::mutex mutex_;  // guards what follows, and calls to on_problem_
  unsigned refusals_ = 0;     // by a full target
  std::optional<base::Error> why_hopeless_;
  std::unordered_set<std::string> failed_paths_;
};

}  // namespace kura::archive
