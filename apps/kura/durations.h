// Durations given as options.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/time.h"

namespace kura::app {

// "12h", "14d" in ns; what an int64 of ns cannot hold is as long as it can. An error names the option.
inline base::Result<std::int64_t> parse_nanoseconds(const std::string& text, const char* option) {
  const auto seconds = KURA_TRY_AS(base::parse_duration(text), option);
  constexpr auto kLongest = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::nanoseconds::max());
  return std::chrono::nanoseconds(std::min(seconds, kLongest)).count();
}

}  // namespace kura::app
