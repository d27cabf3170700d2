// RIFF files: WAV (RF64, too), AVI, WebP; and AIFF, which is the same with the bytes of numbers the other way round.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::riff {

bool recognise_wave(Window& in);
Report check_wave(Window& in, Budget& budget);
bool recognise_aiff(Window& in);
Report check_aiff(Window& in, Budget& budget);
bool recognise_avi(Window& in);
Report check_avi(Window& in, Budget& budget);
bool recognise_webp(Window& in);
Report check_webp(Window& in, Budget& budget);

}  // namespace kura::detect::riff
