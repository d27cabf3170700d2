// Apple's icons: elements that chain by their lengths, each a picture.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::icns {

bool recognise(Window& in);
// Follows the chain. Of the pictures it proves nothing.
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::icns
