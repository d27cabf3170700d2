// Takes an input for a file of each kind that recognises it, and holds the report to what a judge relies on.
#pragma once

#include "detect/grammar/kind.h"
#include "fuzz_support.h"

namespace kura::fuzz {

inline void hold(const detect::Report& report, std::uint64_t size) {
  std::uint64_t end = 0;
  for (const detect::Stretch& stretch : report.stretches) {
    require(stretch.range.offset >= end, "stretches ascend");
    require(stretch.range.offset <= size && stretch.range.size <= size - stretch.range.offset,
            "stretches lie in the file");
    end = stretch.range.end();
  }
  require(report.stretches.size() <= detect::kMostStretches, "there are not too many stretches");
  const bool told = report.finding == detect::Finding::kWhole || !report.evidence.empty();
  require(told, "what is not whole has evidence");
}

inline void try_kinds(std::span<const detect::Kind> kinds, base::ByteSpan input) {
  detect::MemoryInput file(input);
  detect::Window window(file);
  for (const detect::Kind& kind : kinds) {
    if (!kind.recognise(window)) continue;
    detect::Budget budget = detect::Budget::for_file(input.size());
    hold(kind.check(window, budget), input.size());
  }
}

}  // namespace kura::fuzz
