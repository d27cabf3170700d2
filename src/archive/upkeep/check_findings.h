// Where the parts of a check bring what they find. For check*.cc.
#pragma once

#include <functional>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

#include "archive/repo/loss.h"
#include "archive/upkeep/check.h"

namespace kura::archive {

// Shared by threads.
class CheckFindings {
 public:
  CheckFindings(base::Progress& progress, const std::function<void(const CheckFinding&)>& on_finding)
      : progress_(progress), on_finding_(on_finding) {}

  void add(store::Kind kind, const store::ObjectId& id, base::Error error,
           std::vector<store::ObjectId> snapshots = {}) {
    const std::lock_guard lock(mutex_);
    ++count_;
    ++progress_.problems;
    if (on_finding_)
      on_finding_({.kind = kind, .id = id, .error = std::move(error), .snapshots = std::move(snapshots)});
  }
  std::uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  base::Progress& progress_;
  const std::function<void(const CheckFinding&)>& on_finding_;
  mutable std::mutex mutex_;
  std::uint64_t count_ = 0;
};

// What a check tells of an object. Other errors end it.
inline bool is_finding(store::Store& store, const base::Error& error) {
  return error.code() == base::ErrorCode::kUnsupported || is_loss(store, error);
}

inline base::Status check_not_stopped(const std::stop_token& stop) {
  if (!stop.stop_requested()) return {};
  return base::fail(base::ErrorCode::kInterrupted, "the check was interrupted", "run it again for a whole answer");
}

}  // namespace kura::archive
