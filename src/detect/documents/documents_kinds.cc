#include "detect/documents/documents_kinds.h"

#include <array>

#include "detect/documents/cfb.h"
#include "detect/documents/pdf.h"

namespace kura::detect {

std::span<const Kind> documents_kinds() {
  static constexpr std::array kKinds = {
      Kind{"pdf", "pdf fdf ai", pdf::recognise, pdf::check},
      Kind{"cfb", "doc dot xls xlt xlm ppt pot pps msg msi msp mst vsd vss vst pub mpp db hwp wps", cfb::recognise,
           cfb::check},
  };
  return kKinds;
}

}  // namespace kura::detect
