#include "base/human.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

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

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::uint64_t power(std::uint64_t base, std::size_t exponent) {
  std::uint64_t result = 1;
  for (; exponent > 0; --exponent) result *= base;
  return result;
}

// The factor of "", "B", "K", "KiB", "KB" and their kin; nullopt when it is none.
std::optional<std::uint64_t> factor_of(std::string_view unit) {
  std::string text;
  for (const char c : unit) text += lower(c);
  if (text.empty() || text == "b") return 1;
  const std::size_t prefix = std::string_view("kmgtpe").find(text.front());
  if (prefix == std::string_view::npos) return std::nullopt;
  const std::string_view rest = std::string_view(text).substr(1);
  if (rest == "b") return power(1000, prefix + 1);
  if (rest.empty() || rest == "i" || rest == "ib") return power(1024, prefix + 1);
  return std::nullopt;
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

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto refused = [&] {
    return fail(ErrorCode::kUsage, fmt::format("\"{}\" is not a size that can be understood", text),
                "write a number and a unit, like 512K, 64MiB, 1.5G or 2T");
  };
  const char* const end = text.data() + text.size();
  std::uint64_t whole = 0;
  auto [at, error] = std::from_chars(text.data(), end, whole);
  if (error != std::errc()) return refused();
  double fraction = 0;
  if (at != end && *at == '.') {
    double place = 0.1;
    const char* const first = ++at;
    for (; at != end && *at >= '0' && *at <= '9'; ++at, place /= 10) fraction += place * (*at - '0');
    if (at == first) return refused();
  }
  if (at != end && *at == ' ' && at + 1 != end) ++at;
  const auto factor = factor_of(std::string_view(at, end));
  if (!factor) return refused();
  // In integers, since a double would round large numbers.
  const auto part = static_cast<std::uint64_t>(std::llround(fraction * static_cast<double>(*factor)));
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(whole, *factor, &bytes) || __builtin_add_overflow(bytes, part, &bytes)) return refused();
  return bytes;
}

}  // namespace kura::base
