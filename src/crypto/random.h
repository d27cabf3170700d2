// Random bytes straight from the operating system (getrandom). Never fails: a system
// without randomness ends the program.
#pragma once

#include "base/bytes.h"

namespace kura::crypto {

void fill_random(base::MutableByteSpan out);
base::Bytes random_bytes(std::size_t count);
base::Key random_key();

}  // namespace kura::crypto
