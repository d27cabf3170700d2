// Photoshop's files: PSD and PSB.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::psd {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::psd
