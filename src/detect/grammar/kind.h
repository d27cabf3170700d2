// A kind of file: how it is known, and how it is proven whole.
#pragma once

#include <span>
#include <string_view>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect {

// One of a fixed number of constants; compared by address.
struct Kind {
  // Short and stable, as JSON shows it: "png", "docx", "utf-8 text".
  std::string_view name;
  // Lower case, without dots, between spaces: "jpg jpeg jpe". A file with such a name is expected to be of this kind.
  std::string_view extensions;
  // Whether the beginning (and for a few the end) of the file says that it is of this kind. Reads a few KiB at most;
  // has to be sure enough that random bytes pass less than once in 2^24, and is content with a file whose later parts
  // are damaged.
  bool (*recognise)(Window& in);
  // Only for what was recognised. Reads the file once where it can, proves it as far as the kind's own checksums,
  // lengths and codes go, and tells the stretches that it cannot prove.
  Report (*check)(Window& in, Budget& budget);
};

}  // namespace kura::detect
