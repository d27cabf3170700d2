// Looks at every file of the share: to learn it, and to find what changed while nobody looked. At the lowest priority
// for processor and disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "guard/judge/judging.h"

namespace kura::guard {

struct ScanCounts {
  std::atomic<std::uint64_t> files{0}, changed{0};
};

// For the calling thread and what it starts, for good.
void run_at_lowest_priority();
// The same: a third of the share of the processor that others have, and nobody is interrupted the moment there is
// something to do.
void run_behind_others();

// `first`: nothing was learned before, so nothing can be told of what changed. `skip`: a folder in the share that is
// the guard's own, or "". What is found is held against `unseen`.
base::Status scan(const Share& share, Memory& memory, Judging& judging, const ActorPointer& unseen, bool first,
                  const std::string& skip, ScanCounts& counts, const std::stop_token& stop);

}  // namespace kura::guard
