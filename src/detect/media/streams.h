// Films in streams of small pieces: MPEG transport and program streams (ISO/IEC 13818-1), ASF (WMV, WMA), Flash video;
// and MIDI.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::streams {

bool recognise_transport(Window& in);
Report check_transport(Window& in, Budget& budget);
bool recognise_program(Window& in);
Report check_program(Window& in, Budget& budget);
bool recognise_asf(Window& in);
Report check_asf(Window& in, Budget& budget);
bool recognise_flv(Window& in);
Report check_flv(Window& in, Budget& budget);
bool recognise_midi(Window& in);
Report check_midi(Window& in, Budget& budget);

}  // namespace kura::detect::streams
