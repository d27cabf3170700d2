#include "detect/judge/names.h"

namespace kura::detect {
namespace {

constexpr std::size_t kMost = 4;

}  // namespace

std::vector<std::string> names_before(std::string_view name) {
  std::vector<std::string> names;
  for (std::size_t end = name.rfind('.'); end != std::string_view::npos && end > 0 && names.size() < kMost;
       end = name.rfind('.', end - 1)) {
    const std::string_view shorter = name.substr(0, end);
    const std::size_t slash = shorter.rfind('/');
    const std::size_t base = slash == std::string_view::npos ? 0 : slash + 1;
    // What is left has to have an extension of its own.
    if (const std::size_t dot = shorter.rfind('.'); dot == std::string_view::npos || dot <= base) break;
    names.emplace_back(shorter);
  }
  // The longest of them is asked for first: it lost the least.
  return names;
}

}  // namespace kura::detect
