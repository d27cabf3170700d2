// MP3 and its like (ISO/IEC 11172-3, 13818-3), and AAC in ADTS frames (ISO/IEC 14496-3).
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::mpeg_audio {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);
bool recognise_adts(Window& in);
Report check_adts(Window& in, Budget& budget);

}  // namespace kura::detect::mpeg_audio
