// What the headers of a PE file say, and where addresses of the loaded image lie in the file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "detect/grammar/report.h"

namespace kura::detect::programs {

struct PeSection {
  std::string name;  // raw
  std::uint32_t address = 0;
  std::uint32_t memory = 0;
  Range raw;
  std::uint32_t flags = 0;
};

struct PeDirectory {
  std::uint32_t address = 0;
  std::uint32_t size = 0;
};

struct PeImage {
  enum Index : std::uint8_t { kExports, kImports, kResources, kExceptions, kCertificates, kRelocations, kClr = 14 };

  bool wide = false;  // PE32+
  std::uint16_t machine = 0;
  std::uint32_t memory = 0;  // of the whole image
  std::uint32_t alignment = 0;
  bool is_for_firmware = false;
  std::uint64_t symbols = 0;  // of COFF, where there are some
  std::uint64_t symbol_count = 0;
  std::vector<PeSection> sections;
  std::vector<PeDirectory> directories;

  PeDirectory directory(Index index) const { return index < directories.size() ? directories[index] : PeDirectory{}; }
  // Where in the file the byte at an address lies; nothing when it is not from the file.
  std::optional<std::uint64_t> place(std::uint64_t address) const;
};

// A broken report when the headers are none, else the image.
std::optional<PeImage> read_pe(Window& in, Report& wrong);

}  // namespace kura::detect::programs
