// Finds many phrases in one pass: Aho and Corasick, "Efficient string matching", CACM 18(6), 1975.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace kura::detect::note {

// Made once, then read-only, so threads may share it. Memory: 2 bytes for each sign of all phrases and each of the
// (at most 256) different signs in them.
class PhraseFinder {
 public:
  // Phrases of a group count together; there are at most 8 groups, and at most 60,000 signs in all.
  explicit PhraseFinder(std::span<const std::span<const std::string_view>> groups);

  // How many different phrases of each group are in `text`. About a nanosecond a byte.
  std::array<unsigned, 8> count(std::string_view text) const;

 private:
  using State = std::uint16_t;
  State step(State state, std::uint8_t sign) const { return next_[state * classes_ + class_of_[sign]]; }
  void add(std::string_view phrase, std::uint16_t number);
  void link();

  std::array<std::uint8_t, 256> class_of_{};  // 0: in no phrase
  std::size_t classes_ = 1;
  std::size_t longest_ = 0;  // phrase
  std::vector<State> next_;
  std::vector<std::vector<std::uint16_t>> ends_;  // phrases that end in a state
  std::vector<std::uint8_t> has_ends_;            // of a state: nearly none, and what all signs ask stays in the cache
  std::vector<std::uint8_t> group_of_;            // of a phrase
};

}  // namespace kura::detect::note
