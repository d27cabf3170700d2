#include "detect/programs/pe_image.h"

#include <algorithm>

#include "base/escape.h"

namespace kura::detect::programs {
namespace {

constexpr std::uint64_t kMostPeSections = 2048;

PeSection read_pe_section(base::ByteSpan header) {
  PeSection section;
  const std::string_view name = base::as_text(header.first(8));
  section.name = name.substr(0, name.find('\0'));
  section.memory = little<std::uint32_t>(header, 8);
  section.address = little<std::uint32_t>(header, 12);
  section.raw = {little<std::uint32_t>(header, 20), little<std::uint32_t>(header, 16)};
  section.flags = little<std::uint32_t>(header, 36);
  return section;
}

// Sections follow each other in memory, and lie in the file.
std::optional<Report> wrong_section(const PeSection& section, const PeImage& image, std::uint64_t least,
                                    std::uint64_t size) {
  const std::string name = "section " + base::printable(section.name);
  // What runs before any system is put together by objcopy, which aligns nothing.
  const bool is_aligned = image.is_for_firmware || image.alignment <= 1 || section.address % image.alignment == 0;
  if (section.address < least || !is_aligned) {
    return broken(0, name + " lies where none can in memory");
  }
  // What is beyond the section's memory is padding, which some linkers leave out at the end of the file.
  const std::uint64_t needed =
      section.memory == 0 ? section.raw.size : std::min<std::uint64_t>(section.raw.size, section.memory);
  if (section.raw.size > 0 && (section.raw.offset > size || needed > size - section.raw.offset)) {
    return broken(size, "it ends early: " + name + " would go on to " + std::to_string(section.raw.end()));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> PeImage::place(std::uint64_t address) const {
  for (const PeSection& section : sections) {
    if (address >= section.address && address - section.address < section.raw.size) {
      return section.raw.offset + (address - section.address);
    }
  }
  if (!sections.empty() && address < sections.front().address) return address;  // within the headers
  return std::nullopt;
}

std::optional<PeImage> read_pe(Window& in, Report& wrong) {
  const auto fail = [&](Report report) {
    wrong = std::move(report);
    return std::nullopt;
  };
  const std::uint64_t coff = std::uint64_t{in.little32(60).value_or(0)} + 4;
  const std::uint64_t optional = coff + 20;
  PeImage image;
  image.machine = in.little16(coff).value_or(0);
  const std::uint64_t count = in.little16(coff + 2).value_or(0);
  image.symbols = in.little32(coff + 8).value_or(0);
  image.symbol_count = in.little32(coff + 12).value_or(0);
  const std::uint64_t optional_size = in.little16(coff + 16).value_or(0);
  const std::uint16_t magic = in.little16(optional).value_or(0);
  if (magic != 0x10b && magic != 0x20b) return fail(broken(optional, "its optional header is none"));
  image.wide = magic == 0x20b;
  image.alignment = in.little32(optional + 32).value_or(0);
  image.memory = in.little32(optional + 56).value_or(0);
  const std::uint16_t subsystem = in.little16(optional + 68).value_or(0);
  image.is_for_firmware = subsystem >= 10 && subsystem <= 13;  // EFI
  const std::uint64_t directories = optional + (image.wide ? 112 : 96);
  const std::uint64_t directory_count = std::min<std::uint64_t>(16, in.little32(directories - 4).value_or(0));
  for (std::uint64_t i = 0; i < directory_count; ++i) {
    image.directories.push_back(
        {in.little32(directories + 8 * i).value_or(0), in.little32(directories + 8 * i + 4).value_or(0)});
  }
  if (count > kMostPeSections) return fail(broken(coff + 2, "it would have " + std::to_string(count) + " sections"));
  std::uint64_t least = 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto header = in.whole(optional + optional_size + 40 * i, 40);
    if (!header) return fail(broken(in.size(), "it ends early, within its section headers"));
    PeSection section = read_pe_section(*header);
    if (auto report = wrong_section(section, image, least, in.size())) return fail(std::move(*report));
    least = std::uint64_t{section.address} + 1;
    image.sections.push_back(std::move(section));
  }
  return image;
}

}  // namespace kura::detect::programs
