// Items of HEIF (ISO/IEC 23008-12): the pictures of HEIC and AVIF files.
#pragma once

#include "detect/media/iso_boxes.h"

namespace kura::detect::iso {

// Judges the items that a meta box of the file names. Nothing, or what is wrong; `at` is where.
const char* judge_items(Window& in, const Box& meta, Budget& budget, std::uint64_t& at);

}  // namespace kura::detect::iso
