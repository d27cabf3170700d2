// Sun's and NeXT's sounds (.au, .snd): a header of at least 24 bytes, and samples.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::sun_audio {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::sun_audio
