#include <fmt/format.h>

#include "base/version.h"

int main() {
  fmt::print("kura {} ({})\n", kura::base::version(), kura::base::build_type());
  return 0;
}
