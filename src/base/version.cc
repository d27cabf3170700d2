#include "base/version.h"

namespace kura::base {

std::string_view version() noexcept { return KURA_VERSION; }

std::string_view build_type() noexcept {
#if __has_feature(address_sanitizer)
  return "address,undefined";
#elif __has_feature(thread_sanitizer)
  return "thread";
#elif defined(NDEBUG)
  return "release";
#else
  return "debug";
#endif
}

}  // namespace kura::base
