// The order in which a walk meets paths: that of their components' bytes, one after another.
#pragma once

#include <algorithm>
#include <compare>
#include <string_view>

namespace kura::archive {

// As if '/' were a byte below all others, which zero is and no name has.
inline std::strong_ordering compare_in_walk_order(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::ranges::mismatch(a, b);
  if (in_a == a.end() || in_b == b.end()) return a.size() <=> b.size();
  const auto rank = [](char byte) { return byte == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(byte)); };
  return rank(*in_a) <=> rank(*in_b);
}

}  // namespace kura::archive
