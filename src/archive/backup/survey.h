// Counts the source ahead of a backup, so that its progress can say how much is left.
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

#include "archive/backup/walk.h"
#include "base/progress.h"

namespace kura::archive {

// Walks once more, on a thread of its own, and sets the totals of `progress` when it has seen all of it. It begins half
// a second late, so that a short backup does not pay for it; a long one pays one look at every entry. What cannot be
// read is the backup's to tell. Ends early when the job stops, and with its own end.
class Survey {
 public:
  // All outlive it.
  Survey(const WalkPlan& plan, const WalkOptions& options, base::Progress& progress, std::stop_token stop);
  ~Survey();
  Survey(const Survey&) = delete;
  Survey& operator=(const Survey&) = delete;

 private:
  void run(std::stop_token stop);

  const WalkPlan& plan_;
  const WalkOptions& options_;
  base::Progress& progress_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_;
  std::jthread thread_;
};

}  // namespace kura::archive
