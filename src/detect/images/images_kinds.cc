#include "detect/images/images_kinds.h"

#include <array>

#include "detect/images/bitmap.h"
#include "detect/images/dds.h"
#include "detect/images/gif.h"
#include "detect/images/icns.h"
#include "detect/images/jpeg.h"
#include "detect/images/jpeg2000.h"
#include "detect/images/metafile.h"
#include "detect/images/netpbm.h"
#include "detect/images/png.h"
#include "detect/images/psd.h"
#include "detect/images/sfnt.h"
#include "detect/images/tiff.h"
#include "detect/images/type1.h"

namespace kura::detect {

std::span<const Kind> images_kinds() {
  static constexpr std::array kAll = {
      Kind{"jpeg", "jpg jpeg jpe jfif jps mpo", jpeg::recognise, jpeg::check},
      Kind{"jpeg 2000", "jp2 j2k jpx jpf jpc j2c jpm", jpeg2000::recognise, jpeg2000::check},
      Kind{"png", "png apng mng jng", png::recognise, png::check},
      Kind{"gif", "gif", gif::recognise, gif::check},
      Kind{"tiff", "tif tiff dng nef cr2 arw", tiff::recognise, tiff::check},
      Kind{"bmp", "bmp", bitmap::recognise, bitmap::check},
      Kind{"psd", "psd psb", psd::recognise, psd::check},
      Kind{"emf", "emf", metafile::recognise_emf, metafile::check_emf},
      Kind{"wmf", "wmf", metafile::recognise_wmf, metafile::check_wmf},
      Kind{"font", "ttf otf ttc otc", sfnt::recognise, sfnt::check},
      Kind{"type 1 font", "pfa pfb t1", type1::recognise, type1::check},
      Kind{"woff", "woff", sfnt::recognise_woff, sfnt::check_woff},
      Kind{"woff2", "woff2", sfnt::recognise_woff2, sfnt::check_woff2},
      Kind{"dds", "dds", dds::recognise, dds::check},
      Kind{"icns", "icns", icns::recognise, icns::check},
      Kind{"netpbm", "ppm pgm pbm pnm", netpbm::recognise, netpbm::check},
      Kind{"icon", "ico cur", bitmap::recognise_icon, bitmap::check_icon},
  };
  return kAll;
}

}  // namespace kura::detect
