#include "detect/documents/documents_kinds.h"

#include <array>

#include "detect/documents/pdf.h"

namespace kura::detect {

std::span<const Kind> documents_kinds() {
  static constexpr std::array kKinds = {
      Kind{"pdf", "pdf fdf ai", pdf::recognise, pdf::check},
  };
  return kKinds;
}

}  // namespace kura::detect
