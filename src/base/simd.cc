#include "base/simd.h"

#include <cstdlib>
#include <string_view>

namespace kura::base {

bool is_wanted(const char* name) {
  const char* wish = std::getenv(name);
  return wish == nullptr || std::string_view(wish) != "off";
}

}  // namespace kura::base
