#include "detect/documents/documents_kinds.h"

#include <array>

#include "detect/documents/cfb.h"
#include "detect/documents/chm.h"
#include "detect/documents/djvu.h"
#include "detect/documents/pdf.h"
#include "detect/documents/postscript.h"
#include "detect/documents/rtf.h"

namespace kura::detect {

std::span<const Kind> documents_kinds() {
  static constexpr std::array kKinds = {
      Kind{"pdf", "pdf fdf ai", pdf::recognise, pdf::check},
      Kind{"cfb", "doc dot xls xlt xlm ppt pot pps msg msi msp mst vsd vss vst pub mpp hwp wps", cfb::recognise,
           cfb::check},
      Kind{"rtf", "rtf", rtf::recognise, rtf::check},
      Kind{"postscript", "ps eps epsf epsi", postscript::recognise, postscript::check},
      Kind{"chm", "chm", chm::recognise, chm::check},
      Kind{"djvu", "djvu djv", djvu::recognise, djvu::check},
  };
  return kKinds;
}

}  // namespace kura::detect
