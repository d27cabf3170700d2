// Textures of DirectX (DDS): a header that says how many pixels there are, and the pixels.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::dds {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::dds
