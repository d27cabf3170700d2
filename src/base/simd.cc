#include "base/simd.h"

#include <cstdlib>
#include <string_view>

namespace kura::base {

bool simd_wanted() {
  const char* wish = std::getenv("KURA_SIMD");
  return wish == nullptr || std::string_view(wish) != "off";
}

}  // namespace kura::base
