// Numbers for people: short, rounded, never for machines (JSON gets the plain number).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kura::base {

std::string human_size(std::uint64_t bytes);      // "0 B", "999 B", "1.2 GiB"
std::string human_rate(double bytes_per_second);  // "123.4 MiB/s"
std::string human_count(std::uint64_t count);     // "1,234,567"
std::string human_duration(double seconds);       // "0.4 s", "12 s", "3 min 05 s", "2 h 05 min", "3 d 04 h"

// "512", "64K", "64KiB", "1.5G" (powers of 1024), "10MB" (powers of 1000); either case, a blank may stand before the
// unit. kUsage when it is not that, or 2^64 or more.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace kura::base
