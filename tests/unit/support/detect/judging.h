// What the kinds of one group say of bytes.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include <gtest/gtest.h>

#include "detect/grammar/kind.h"

namespace kura::detect::test {

// The report of the kind that recognises the file, which has to be `expected`; nothing when none does.
inline std::optional<Report> judged_as(std::span<const Kind> kinds, base::ByteSpan file, std::string_view expected) {
  MemoryInput input(file);
  Window window(input);
  for (const Kind& kind : kinds) {
    if (!kind.recognise(window)) continue;
    EXPECT_EQ(kind.name, expected);
    Budget budget = Budget::for_file(file.size());
    return kind.check(window, budget);
  }
  return std::nullopt;
}

}  // namespace kura::detect::test
