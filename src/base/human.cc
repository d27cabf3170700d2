#include "base/human.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace kura::base {
namespace {

constexpr std::string_view kPrefixes = "KMGTPE";

// "1.2 Gi" without its unit of measure; whole below 1024.
std::string scaled(double value) {
  if (value < 999.5) return fmt::format("{:.0f} ", value);
  std::size_t prefix = 0;
  value /= 1024;
  while (value >= 999.95 && prefix + 1 < kPrefixes.size()) {
    value /= 1024;
    ++prefix;
  }
  return fmt::format("{:.1f} {}i", value, kPrefixes[prefix]);
}

}  // namespace

std::string human_size(std::uint64_t bytes) { return scaled(static_cast<double>(bytes)) + "B"; }

std::string human_rate(double bytes_per_second) {
  return scaled(std::isfinite(bytes_per_second) && bytes_per_second > 0 ? bytes_per_second : 0) + "B/s";
}

std::string human_count(std::uint64_t count) {
  std::string text = fmt::format("{}", count);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string human_count(std::uint64_t count, std::string_view what) {
  const std::string_view ending = count == 1 ? "" : what.ends_with('x') ? "es" : "s";
  return fmt::format("{} {}{}", human_count(count), what, ending);
}

std::string human_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  if (seconds < 59.5) return fmt::format("{:.0f} s", seconds);
  constexpr double kLongest = 1e9 * 86400;  // beyond that the number says nothing, but must fit an integer
  const auto whole = static_cast<std::uint64_t>(std::llround(std::min(seconds, kLongest)));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {:02} h", whole / 86400, whole / 3600 % 24);
}

}  // namespace kura::base
