#include "detect/images/images_kinds.h"

#include <array>

#include "detect/images/jpeg.h"
#include "detect/images/png.h"

namespace kura::detect {

std::span<const Kind> images_kinds() {
  static constexpr std::array kAll = {
      Kind{"jpeg", "jpg jpeg jpe jfif jps mpo", jpeg::recognise, jpeg::check},
      Kind{"png", "png apng mng jng", png::recognise, png::check},
  };
  return kAll;
}

}  // namespace kura::detect
