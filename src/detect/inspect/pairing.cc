#include "detect/inspect/pairing.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "detect/judge/names.h"

namespace kura::detect {
namespace {

// What a ransomware puts behind a file's contents: a key, an id.
constexpr std::uint64_t kMostGrowth = 4096;

class Pairing {
 public:
  Pairing(const std::vector<FoundFile>& before, const std::vector<FoundFile>& after)
      : before_(before), after_(after), taken_(before.size()), partners_(after.size()) {
    for (std::size_t i = 0; i < before.size(); ++i) by_name_.emplace(before[i].name, i);
  }

  std::vector<std::optional<std::size_t>> made() && {
    for (std::size_t i = 0; i < after_.size(); ++i) take_named(i, after_[i].name);
    for (std::size_t i = 0; i < after_.size(); ++i) {
      for (const std::string& name : names_before(after_[i].name)) take_named(i, name);
    }
    by_stem();
    by_size();
    return std::move(partners_);
  }

 private:
  void give(std::size_t after, std::size_t before) {
    taken_[before] = true;
    partners_[after] = before;
  }

  void take_named(std::size_t after, std::string_view name) {
    const auto found = by_name_.find(name);
    if (!partners_[after] && found != by_name_.end() && !taken_[found->second]) give(after, found->second);
  }

  void by_stem() {
    std::map<std::string_view, std::size_t> stems;
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (!taken_[i]) stems.emplace(stem_of(before_[i].name), i);
    }
    for (std::size_t i = 0; i < after_.size(); ++i) {
      if (partners_[i]) continue;
      const auto found = stems.find(stem_of(after_[i].name));
      if (found != stems.end() && !taken_[found->second]) give(i, found->second);
    }
  }

  void by_size() {
    std::multimap<std::uint64_t, std::size_t> sizes;
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (!taken_[i]) sizes.emplace(before_[i].size, i);
    }
    for (std::size_t i = 0; i < after_.size(); ++i) {
      const std::uint64_t size = after_[i].size;
      if (partners_[i] || size == 0) continue;
      const auto first = sizes.lower_bound(size - std::min(size, kMostGrowth));
      const auto last = sizes.upper_bound(size);
      if (first == last || std::next(first) != last) continue;  // none, or it could be several
      give(i, first->second);
      sizes.erase(first);
    }
  }

  const std::vector<FoundFile>& before_;
  const std::vector<FoundFile>& after_;
  std::map<std::string_view, std::size_t> by_name_;
  std::vector<bool> taken_;
  std::vector<std::optional<std::size_t>> partners_;
};

}  // namespace

std::vector<std::optional<std::size_t>> pair_up(const std::vector<FoundFile>& before,
                                                const std::vector<FoundFile>& after) {
  return Pairing(before, after).made();
}

}  // namespace kura::detect
