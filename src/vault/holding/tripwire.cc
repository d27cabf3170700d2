#include "vault/holding/tripwire.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/human.h"

namespace kura::vault {
namespace {

constexpr double kTimesUsual = 8;             // a change that is this many times the usual one
constexpr double kLeastUsual = 0.01;          // of all bytes: a series that never changes may change this much
constexpr double kHalf = 0.5;                 // of all bytes
constexpr double kGrowth = 1.3;               // of all bytes, when most of what is new stands for what is gone
constexpr std::uint64_t kTooSmall = 4 << 20;  // bytes: what is below is no surprise, whatever its share

// The median of what part of all bytes a change has touched.
template <typename Part>
double usual(std::span<const Change> history, Part part) {
  std::vector<double> parts;
  for (const Change& change : history) {
    if (change.before != 0) parts.push_back(static_cast<double>(part(change)) / static_cast<double>(change.before));
  }
  if (parts.size() < kTripwireLearns) return kHalf / kTimesUsual;
  const auto middle = parts.begin() + static_cast<std::ptrdiff_t>(parts.size() / 2);
  std::ranges::nth_element(parts, middle);
  return std::clamp(*middle, kLeastUsual, kHalf / kTimesUsual * 2);
}

std::string percent(double part) { return fmt::format("{:.1f} %", part * 100); }

}  // namespace

std::optional<std::string> surprise(const Change& change, std::span<const Change> history) {
  if (change.before == 0 || std::max(change.added, change.dropped) < kTooSmall) return std::nullopt;
  history = history.last(std::min(history.size(), kTripwireHistory));
  const auto all = static_cast<double>(change.before);
  const double added = static_cast<double>(change.added) / all, dropped = static_cast<double>(change.dropped) / all;
  const double usual_added = usual(history, [](const Change& one) { return one.added; });
  const double usual_dropped = usual(history, [](const Change& one) { return one.dropped; });
  if (added > kTimesUsual * usual_added) {
    std::string text = fmt::format("it brings {} of new data, {} of what there was; usual are {}",
                                   base::human_size(change.added), percent(added), percent(usual_added));
    if (static_cast<double>(change.after()) > kGrowth * all && dropped > kHalf) {
      text += ", and what was replaced has grown: files that compressed do so no more";
    }
    return text;
  }
  if (dropped > kTimesUsual * usual_dropped) {
    return fmt::format("it uses {} of what there was no more ({}); usual are {}", percent(dropped),
                       base::human_size(change.dropped), percent(usual_dropped));
  }
  return std::nullopt;
}

}  // namespace kura::vault
