// One thing that happened to a file of the share, on its way from the kernel to its judgement.
#pragma once

#include <cstdint>
#include <string>

#include "guard/actors/table.h"

namespace kura::guard {

struct Change {
  enum class What : std::uint8_t { kWritten, kDeleted, kRenamed };
  What what = What::kWritten;
  bool folder = false;
  bool again = false;      // looked at once more: nothing new is held against anybody by it
  bool unnoticed = false;  // found by a scan
  unsigned attempt = 0;    // of a file that somebody still writes
  std::string path;
  std::string from;  // of a rename
  std::int64_t time = 0;
  ActorPointer actor;
};

}  // namespace kura::guard
