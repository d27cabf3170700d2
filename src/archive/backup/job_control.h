// What ends a job of many threads: its first error, or the caller's stop.
//
// Every thread of the job waits and loops with token(); whoever fails calls fail(), and the others come to rest. The
// job's outcome is status().
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/error.h"

namespace kura::archive {

// Shared by threads.
class JobControl {
 public:
  explicit JobControl(std::stop_token outer) : outer_(std::move(outer)), forward_(outer_, Forward{&source_}) {}
  JobControl(const JobControl&) = delete;
  JobControl& operator=(const JobControl&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  bool stopped() const { return source_.stop_requested(); }

  // The first error is the job's; later ones follow from it and are dropped.
  void fail(base::Error error) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_ && !outer_.stop_requested()) error_ = std::move(error);
    }
    source_.request_stop();
  }
  void fail_on(base::Status status) {
    if (!status) fail(std::move(status).error());
  }

  // The first error; kInterrupted when the caller wanted to stop; else well.
  base::Status status() const {
    const std::lock_guard lock(mutex_);
    if (error_) return std::unexpected(*error_);
    return base::not_stopped(source_.get_token());
  }

 private:
  struct Forward {
    std::stop_source* source;
    void operator()() const { source->request_stop(); }
  };
  std::stop_source source_;
  std::stop_token outer_;
  mutable std::mutex mutex_;
  std::optional<base::Error> error_;
  std::stop_callback<Forward> forward_;  // last: it may fire while the object is made
};

}  // namespace kura::archive
