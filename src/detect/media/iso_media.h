// ISO base media files: MP4, M4A, 3GP, QuickTime, HEIC, AVIF; whole films and fragments.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::iso {

bool recognise(Window& in);
bool recognise_picture(Window& in);  // HEIC, AVIF
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::iso
