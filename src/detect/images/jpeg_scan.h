// One scan of a JPEG file: its codes are followed to the last block, without making pixels (ITU-T T.81, annexes F, G).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "detect/grammar/report.h"
#include "detect/images/jpeg_huffman.h"

namespace kura::detect::jpeg {

struct Component {
  std::uint8_t id = 0;
  std::uint8_t across = 1;  // sampling factors
  std::uint8_t down = 1;
  // Blocks of 8 x 8 samples, as scans of this component alone and as scans of several count them.
  std::uint32_t columns = 0;
  std::uint32_t rows = 0;
  std::uint32_t padded_columns = 0;
  std::uint32_t padded_rows = 0;
  // Per block, which coefficients are not zero: refinement depends on it. Only in progressive files.
  std::vector<std::uint64_t> coefficients;
};

struct Frame {
  std::uint8_t process = 0;  // of the SOF marker: 0 baseline, 1 extended, 2 progressive, ...
  std::uint8_t precision = 8;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t units_across = 0;  // MCUs of a scan of several components
  std::uint32_t units_down = 0;
  std::vector<Component> components;
};

struct Scan {
  struct Part {
    std::size_t component = 0;  // its index
    std::uint8_t dc = 0;        // table numbers
    std::uint8_t ac = 0;
  };
  std::vector<Part> parts;
  std::uint8_t first = 0;  // spectral selection
  std::uint8_t last = 63;
  std::uint8_t high = 0;  // successive approximation
  std::uint8_t low = 0;
  std::uint32_t restart_every = 0;  // MCUs, 0 for never
  std::uint64_t units(const Frame& frame) const;
};

struct Tables {
  std::array<Huffman, 4> dc;
  std::array<Huffman, 4> ac;
};

// Follows the codes of the scan that lies in `range`, up to the marker after it. Nothing, or what is wrong with it.
// Costs a second for 100 to 200 MB. Spends what it reads.
std::optional<std::string_view> follow(Window& in, Range range, Frame& frame, const Scan& scan, const Tables& tables,
                                       Budget& budget);

}  // namespace kura::detect::jpeg
