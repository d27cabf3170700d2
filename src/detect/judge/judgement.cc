#include "detect/judge/judgement.h"

#include <algorithm>
#include <array>

namespace kura::detect {
namespace {

constexpr std::array<std::string_view, 4> kVerdicts = {"unknown", "valid", "opaque", "broken"};

}  // namespace

std::string_view name_of(Verdict verdict) { return kVerdicts.at(static_cast<std::size_t>(verdict)); }

std::optional<Verdict> verdict_named(std::string_view name) {
  for (std::size_t i = 0; i < kVerdicts.size(); ++i) {
    if (kVerdicts.at(i) == name) return static_cast<Verdict>(i);
  }
  return std::nullopt;
}

bool is_size_of_digest(std::uint64_t size) {
  static constexpr std::array<std::uint64_t, 6> kSizes = {16, 20, 28, 32, 48, 64};
  return std::ranges::find(kSizes, size) != kSizes.end();
}

}  // namespace kura::detect
