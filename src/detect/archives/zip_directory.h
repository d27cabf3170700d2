// The directory of a ZIP archive (PKWARE APPNOTE 6.3.10): where it lies, and what it says of each part. Needs 48 bytes
// a part, for at most kBatch parts at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::zip {

// What the end records say. Offsets are of the file: bytes before the archive are already counted in.
struct Directory {
  enum class State : std::uint8_t { kFound, kMissing, kOtherDisk } state = State::kMissing;
  Range range;              // of the central headers
  std::uint64_t parts = 0;  // how many the end record counts, `mask` of its bits
  std::uint64_t mask = 0xFFFF;
  std::uint64_t before = 0;  // bytes before the archive, which offsets do not count
};

Directory find_directory(Window& in);

// One central header.
struct Part {
  std::uint64_t local = 0;   // offset of its local header in the file
  std::uint64_t packed = 0;  // bytes
  std::uint64_t size = 0;    // bytes, unpacked
  std::uint64_t header = 0;  // offset of the central header
  std::uint32_t crc = 0;
  std::uint32_t name_crc = 0;  // checksum of the name, to compare it with the local header's
  std::uint16_t method = 0;
  std::uint16_t flags = 0;
};

inline constexpr std::size_t kBatch = 65536;
inline constexpr std::uint16_t kPassword = 1;  // of the flags
inline constexpr std::uint16_t kDescriptor = 8;
inline constexpr std::uint16_t kHiddenNames = 1U << 13;

// Reads central headers from `offset` on until the directory ends or kBatch are read; false when one is none. `offset`
// is then where that one was expected, and else where the next one is. `before` counts those read already.
bool read_parts(Window& in, const Directory& directory, std::uint64_t& offset, std::uint64_t before,
                std::vector<Part>& parts);

// The name in a central header, as it stands there.
std::string part_name(Window& in, const Part& part);

}  // namespace kura::detect::zip
