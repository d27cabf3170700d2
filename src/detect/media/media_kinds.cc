#include "detect/media/media_kinds.h"

#include <array>

#include "detect/media/flac.h"
#include "detect/media/iso_media.h"
#include "detect/media/mpeg_audio.h"
#include "detect/media/ogg.h"
#include "detect/media/riff.h"

namespace kura::detect {

std::span<const Kind> media_kinds() {
  static constexpr std::array kAll = {
      Kind{"heif", "heic heif hif avif avifs heics", iso::recognise_picture, iso::check},
      Kind{"mp4", "mp4 m4a m4v m4b mov qt 3gp 3g2 f4v", iso::recognise, iso::check},
      Kind{"ogg", "ogg oga ogv opus spx ogx", ogg::recognise, ogg::check},
      Kind{"flac", "flac", flac::recognise, flac::check},
      Kind{"wav", "wav wave rf64 bwf", riff::recognise_wave, riff::check_wave},
      Kind{"aiff", "aiff aif aifc", riff::recognise_aiff, riff::check_aiff},
      Kind{"avi", "avi", riff::recognise_avi, riff::check_avi},
      Kind{"webp", "webp", riff::recognise_webp, riff::check_webp},
      Kind{"mp3", "mp3 mp2 mpa", mpeg_audio::recognise, mpeg_audio::check},
      Kind{"aac", "aac adts", mpeg_audio::recognise_adts, mpeg_audio::check_adts},
  };
  return kAll;
}

}  // namespace kura::detect
