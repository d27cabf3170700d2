#include "detect/images/images_kinds.h"

#include <array>

#include "detect/images/gif.h"
#include "detect/images/jpeg.h"
#include "detect/images/png.h"
#include "detect/images/sfnt.h"

namespace kura::detect {

std::span<const Kind> images_kinds() {
  static constexpr std::array kAll = {
      Kind{"jpeg", "jpg jpeg jpe jfif jps mpo", jpeg::recognise, jpeg::check},
      Kind{"png", "png apng mng jng", png::recognise, png::check},
      Kind{"gif", "gif", gif::recognise, gif::check},
      Kind{"font", "ttf otf ttc otc", sfnt::recognise, sfnt::check},
      Kind{"woff", "woff", sfnt::recognise_woff, sfnt::check_woff},
      Kind{"woff2", "woff2", sfnt::recognise_woff2, sfnt::check_woff2},
  };
  return kAll;
}

}  // namespace kura::detect
