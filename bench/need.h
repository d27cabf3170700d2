// For programs that measure: what fails ends them.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/error.h"

template <typename T>
T need(kura::base::Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().text().c_str());
  std::exit(1);
}

inline void need(const kura::base::Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().text().c_str());
  std::exit(1);
}
