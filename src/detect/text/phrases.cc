#include "detect/text/phrases.h"

#include <algorithm>
#include <deque>

namespace kura::detect::note {

PhraseFinder::PhraseFinder(std::span<const std::span<const std::string_view>> groups) {
  for (const auto& group : groups) {
    for (const std::string_view phrase : group) {
      for (const char c : phrase) {
        std::uint8_t& number = class_of_[static_cast<std::uint8_t>(c)];
        if (number == 0) number = static_cast<std::uint8_t>(classes_++);
      }
    }
  }
  next_.assign(classes_, 0);
  ends_.emplace_back();
  for (std::size_t group = 0; group < groups.size(); ++group) {
    for (const std::string_view phrase : groups[group]) {
      add(phrase, static_cast<std::uint16_t>(group_of_.size()));
      longest_ = std::max(longest_, phrase.size());
      group_of_.push_back(static_cast<std::uint8_t>(group));
    }
  }
  link();
}

void PhraseFinder::add(std::string_view phrase, std::uint16_t number) {
  State state = 0;
  for (const char c : phrase) {
    const std::size_t at = state * classes_ + class_of_[static_cast<std::uint8_t>(c)];
    if (next_[at] == 0) {
      next_[at] = static_cast<State>(ends_.size());
      next_.resize(next_.size() + classes_);
      ends_.emplace_back();
    }
    state = next_[at];
  }
  ends_[state].push_back(number);
}

// Turns the tree into an automaton: where a phrase does not go on, the longest end that begins another does.
void PhraseFinder::link() {
  std::vector<State> fallback(ends_.size());
  std::deque<State> waiting;
  for (std::size_t sign = 0; sign < classes_; ++sign) {
    if (next_[sign] != 0) waiting.push_back(next_[sign]);
  }
  while (!waiting.empty()) {
    const State state = waiting.front();
    waiting.pop_front();
    const auto& inherited = ends_[fallback[state]];
    ends_[state].insert(ends_[state].end(), inherited.begin(), inherited.end());
    for (std::size_t sign = 0; sign < classes_; ++sign) {
      State& next = next_[state * classes_ + sign];
      const State other = next_[fallback[state] * classes_ + sign];
      if (next == 0) {
        next = other;
      } else {
        fallback[next] = other;
        waiting.push_back(next);
      }
    }
  }
  for (const auto& ends : ends_) has_ends_.push_back(ends.empty() ? 0 : 1);
}

std::array<unsigned, 8> PhraseFinder::count(std::string_view text) const {
  std::array<unsigned, 8> counts{};
  std::vector<bool> seen(group_of_.size());
  const auto take = [&](State& state, std::size_t at) {
    state = step(state, static_cast<std::uint8_t>(text[at]));
    if (has_ends_[state] == 0) return;
    for (const std::uint16_t phrase : ends_[state]) {
      if (seen[phrase]) continue;
      seen[phrase] = true;
      ++counts[group_of_[phrase]];
    }
  };
  // Each step waits for the memory that the one before it named, so the quarters of the text are gone through side by
  // side. A phrase that begins in one may end in the next.
  std::array<State, 4> states{};
  const std::size_t quarter = text.size() / states.size();
  for (std::size_t i = 0; i < quarter; ++i) {
    for (std::size_t lane = 0; lane < states.size(); ++lane) take(states[lane], lane * quarter + i);
  }
  for (std::size_t lane = 0; lane < states.size(); ++lane) {
    const std::size_t next = (lane + 1) * quarter;
    const bool last = lane + 1 == states.size();
    const std::size_t end = last ? text.size() : std::min(text.size(), next + longest_);
    for (std::size_t at = next; at < end; ++at) take(states[lane], at);
  }
  return counts;
}

}  // namespace kura::detect::note
