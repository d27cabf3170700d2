// Ogg (RFC 3533): Vorbis, Opus, Theora, FLAC and Speex in it.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::ogg {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::ogg
