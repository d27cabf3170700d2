// Numbers for people: short, rounded, never for machines (JSON gets the plain number).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kura::base {

std::string human_size(std::uint64_t bytes);      // "0 B", "999 B", "1.2 GiB"
std::string human_rate(double bytes_per_second);  // "123.4 MiB/s"
std::string human_count(std::uint64_t count);     // "1,234,567"
// "1 file", "1,234 files", "2 indexes". `what`: the singular, in English.
std::string human_count(std::uint64_t count, std::string_view what);
std::string human_duration(double seconds);  // "0.4 s", "12 s", "3 min 05 s", "2 h 05 min", "3 d 04 h"

}  // namespace kura::base
