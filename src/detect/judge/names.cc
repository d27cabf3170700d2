#include "detect/judge/names.h"

#include <algorithm>

#include "detect/kinds/kinds.h"

namespace kura::detect {
namespace {

constexpr std::size_t kMost = 4;

}  // namespace

std::vector<std::string> names_before(std::string_view name) {
  std::vector<std::string> names;
  const std::size_t slash = name.rfind('/');
  const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
  // The longest of them is asked for first: it lost the least.
  for (std::size_t end = name.rfind('.'); end != std::string_view::npos && end > begin && names.size() < kMost;
       end = name.rfind('.', end - 1)) {
    names.emplace_back(name.substr(0, end));
  }
  return names;
}

bool says_its_kind(std::string_view name) { return promised_by(name) != nullptr; }

std::string_view stem_of(std::string_view name) { return name.substr(0, std::max<std::size_t>(name.find('.', 1), 1)); }

}  // namespace kura::detect
