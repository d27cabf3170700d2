// What the fuzz targets of the judges of contents share: a group of kinds, and what each promises.
#pragma once

#include <span>

#include "detect/grammar/kind.h"
#include "support/fuzz_support.h"

namespace kura::fuzz {

// Checks the input as each kind of the group that says it is one.
inline void try_kinds(std::span<const detect::Kind> kinds, base::ByteSpan input) {
  for (const detect::Kind& kind : kinds) {
    detect::MemoryInput file(input);
    detect::Window window(file);
    if (!kind.recognise(window)) continue;
    detect::Budget budget = detect::Budget::for_file(input.size());
    const detect::Report report = kind.check(window, budget);
    const bool says_why = report.finding == detect::Finding::kWhole || !report.evidence.empty();
    require(says_why, "what is not whole has evidence");
    require(report.stretches.size() <= detect::kMostStretches, "there are not too many stretches");
    std::uint64_t end = 0;
    for (const detect::Stretch& stretch : report.stretches) {
      require(stretch.range.offset >= end, "stretches ascend");
      require(stretch.range.offset <= input.size(), "stretches begin in the file");
      require(stretch.range.size <= input.size() - stretch.range.offset, "stretches end in the file");
      end = stretch.range.end();
    }
  }
}

}  // namespace kura::fuzz
