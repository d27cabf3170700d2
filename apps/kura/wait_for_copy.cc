#include "wait_for_copy.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/human.h"
#include "base/pause.h"

namespace kura::app {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kShortestPause{1}, kLongestPause{15};

}  // namespace

base::Result<std::vector<std::string>> wait_for_copy(Output& output, store::Store& store,
                                                     const store::ObjectId& snapshot, std::chrono::seconds longest,
                                                     const std::stop_token& stop) {
  const Steady::time_point end = Steady::now() + longest;
  const std::string shown = snapshot.hex().substr(0, 8);
  bool is_told = false;
  for (auto pause = kShortestPause;; pause = std::min(2 * pause, kLongestPause)) {
    std::vector<std::string> copies = KURA_TRY_AS(store.copies(snapshot), "the snapshot " + shown + " is saved, but");
    if (!copies.empty()) return copies;
    if (!is_told) output.note(fmt::format("waiting until another vault has snapshot {} too", shown));
    is_told = true;
    const auto left = std::chrono::ceil<std::chrono::seconds>(end - Steady::now());
    if (left.count() <= 0) break;
    if (!base::pause_for(std::min(pause, left), stop)) {
      return base::fail(base::ErrorCode::kInterrupted, fmt::format("the snapshot {} is saved; interrupted while "
                                                                   "waiting for its copy",
                                                                   shown));
    }
  }
  return base::fail(base::ErrorCode::kConflict,
                    fmt::format("the snapshot {} is saved and valid, but after {} no other vault has it", shown,
                                base::human_duration(static_cast<double>(longest.count()))),
                    "see at the other vault whether it follows: `kura-vault status`");
}

}  // namespace kura::app
