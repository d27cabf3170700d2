// What the fuzz targets of kinds of files share.
#pragma once

#include <span>

#include "detect/grammar/kind.h"
#include "support/fuzz_support.h"

namespace kura::fuzz {

// Judges `input` by each of `kinds` that recognises it, and holds what is said to the promises of a report.
inline void judge(std::span<const detect::Kind> kinds, base::ByteSpan input) {
  for (const detect::Kind& kind : kinds) {
    detect::MemoryInput memory(input);
    detect::Window window(memory);
    if (!kind.recognise(window)) continue;
    detect::Budget budget = detect::Budget::for_file(input.size());
    const detect::Report report = kind.check(window, budget);
    if (report.finding != detect::Finding::kWhole) require(!report.evidence.empty(), "what is found has evidence");
    std::uint64_t end = 0;
    for (const detect::Stretch& stretch : report.stretches) {
      require(stretch.range.offset >= end, "stretches ascend");
      require(stretch.range.size <= input.size() && stretch.range.offset <= input.size() - stretch.range.size,
              "stretches lie in the file");
      end = stretch.range.end();
    }
  }
}

}  // namespace kura::fuzz
