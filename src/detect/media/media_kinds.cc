#include "detect/media/media_kinds.h"

#include <array>

#include "detect/media/flac.h"
#include "detect/media/iso_media.h"
#include "detect/media/matroska.h"
#include "detect/media/mpeg_audio.h"
#include "detect/media/ogg.h"
#include "detect/media/riff.h"
#include "detect/media/streams.h"
#include "detect/media/sun_audio.h"

namespace kura::detect {

std::span<const Kind> media_kinds() {
  static constexpr std::array kAll = {
      Kind{"heif", "heic heif hif avif avifs heics", iso::recognise_picture, iso::check},
      Kind{"mp4", "mp4 m4a m4v m4b mov qt 3gp 3g2 f4v", iso::recognise, iso::check},
      Kind{"ogg", "ogg oga ogv opus spx ogx", ogg::recognise, ogg::check},
      Kind{"flac", "flac", flac::recognise, flac::check},
      Kind{"wav", "wav wave rf64 bwf", riff::recognise_wave, riff::check_wave},
      Kind{"au", "au snd", sun_audio::recognise, sun_audio::check},
      Kind{"aiff", "aiff aif aifc", riff::recognise_aiff, riff::check_aiff},
      Kind{"avi", "avi", riff::recognise_avi, riff::check_avi},
      Kind{"webp", "webp", riff::recognise_webp, riff::check_webp},
      Kind{"matroska", "mkv webm mka mk3d mks", matroska::recognise, matroska::check},
      Kind{"asf", "wmv wma asf", streams::recognise_asf, streams::check_asf},
      Kind{"flv", "flv", streams::recognise_flv, streams::check_flv},
      Kind{"midi", "mid midi kar rmi", streams::recognise_midi, streams::check_midi},
      Kind{"mpeg program stream", "mpg mpeg vob", streams::recognise_program, streams::check_program},
      Kind{"mpeg transport stream", "ts m2ts m2t", streams::recognise_transport, streams::check_transport},
      Kind{"mp3", "mp3 mp2 mpa", mpeg_audio::recognise, mpeg_audio::check},
      Kind{"aac", "aac adts", mpeg_audio::recognise_adts, mpeg_audio::check_adts},
  };
  return kAll;
}

}  // namespace kura::detect
