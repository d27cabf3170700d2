#include "detect/programs/pe.h"

#include <algorithm>
#include <string>

#include "base/escape.h"
#include "detect/programs/pe_image.h"

namespace kura::detect::programs {
namespace pe {
namespace {

constexpr std::uint64_t kMostImports = 4096;
constexpr std::size_t kLongestSymbol = 4096;  // C++ names are long
constexpr int kResourceDepth = 4;

class Checker {
 public:
  Checker(Window& in, Budget& budget, PeImage image) : in_(in), budget_(budget), image_(std::move(image)) {}

  Report run() {
    const bool right = imports() && exports() && relocations() && exceptions() && certificates() && clr() &&
                       symbols() && resources(0, kResourceDepth);
    if (budget_.spent_out()) return over_budget();
    return right ? contents() : report_;
  }

 private:
  bool fail(std::uint64_t at, std::string what) {
    report_ = broken(at, std::move(what));
    return false;
  }
  std::uint32_t word(std::uint64_t at) { return in_.little32(at).value_or(0); }

  // Whether a name stands at an address: a few printable characters up to a zero. Addresses that are not from the file
  // are a packer's business.
  bool is_name(std::uint64_t address) {
    const auto at = image_.place(address);
    if (!at) return true;
    const std::string_view text = base::as_text(in_.at(*at, kLongestSymbol));
    const std::size_t end = std::min(text.find('\0'), text.size());
    return std::ranges::all_of(text.substr(0, end),
                               [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
  }

  bool imports() {
    const auto table = image_.place(image_.directory(PeImage::kImports).address);
    if (image_.directory(PeImage::kImports).size == 0 || !table) return true;
    for (std::uint64_t i = 0; i < kMostImports && budget_.spend(64); ++i) {
      const std::uint64_t at = *table + 20 * i;
      const std::uint32_t name = word(at + 12);
      if (name == 0) return true;
      if (name >= image_.memory || !is_name(name)) return fail(at, "import " + std::to_string(i) + " has no name");
      const std::uint32_t list = word(at) != 0 ? word(at) : word(at + 16);
      if (!imported_names(list, i)) return false;
    }
    return true;
  }

  bool imported_names(std::uint32_t list, std::uint64_t library) {
    const auto table = image_.place(list);
    if (!table) return true;
    const unsigned width = image_.wide ? 8 : 4;
    for (std::uint64_t i = 0; budget_.spend(64); ++i) {
      const std::uint64_t at = *table + width * i;
      const std::uint64_t entry = image_.wide ? in_.little64(at).value_or(0) : word(at);
      if (entry == 0) return true;
      if ((entry >> (8 * width - 1)) != 0) continue;  // by number
      if (entry >= image_.memory || !is_name(entry + 2)) {
        return fail(at, "name " + std::to_string(i) + " of import " + std::to_string(library) + " is none");
      }
    }
    return true;
  }

  bool exports() {
    const auto table = image_.place(image_.directory(PeImage::kExports).address);
    if (image_.directory(PeImage::kExports).size < 40 || !table) return true;
    const std::uint64_t count = word(*table + 24);
    const auto names = image_.place(word(*table + 32));
    if (!names || count == 0) return true;
    if (count > in_.size() / 4) return fail(*table, "it would export more names than it has bytes");
    for (std::uint64_t i = 0; i < count && budget_.spend(64); ++i) {
      const std::uint32_t name = word(*names + 4 * i);
      if (name >= image_.memory || !is_name(name))
        return fail(*names + 4 * i, "exported name " + std::to_string(i) + " is none");
    }
    return true;
  }

  // Blocks that each begin with their page and length, to the end.
  bool relocations() {
    const PeDirectory directory = image_.directory(PeImage::kRelocations);
    const auto table = image_.place(directory.address);
    if (directory.size < 8 || !table) return true;
    for (std::uint64_t done = 0; directory.size - done >= 8 && budget_.spend(16);) {
      const std::uint32_t page = word(*table + done);
      const std::uint32_t size = word(*table + done + 4);
      if (size == 0 || (page == 0 && size == 8)) return true;  // padding
      if (size < 8 || size > directory.size - done || (page % 4096 != 0 && !image_.is_for_firmware) ||
          page >= image_.memory) {
        return fail(*table + done, "the blocks of its relocations do not follow each other");
      }
      done += size;
    }
    return true;
  }

  // x64: where each function begins, ends and how it is unwound, in order.
  bool exceptions() {
    const PeDirectory directory = image_.directory(PeImage::kExceptions);
    const auto table = image_.place(directory.address);
    if (image_.machine != 0x8664 || !table) return true;
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < directory.size / 12 && budget_.spend(12); ++i) {
      const std::uint64_t at = *table + 12 * i;
      const std::uint32_t begin = word(at);
      if (begin == 0) continue;
      wrong += begin < word(at + 4) && word(at + 4) <= image_.memory && word(at + 8) < image_.memory ? 0U : 1U;
      if (wrong == 2) return fail(at, "entry " + std::to_string(i) + " of its table of functions is none");
    }
    return true;
  }

  // The one directory that is told by its place in the file, behind everything.
  bool certificates() {
    const PeDirectory directory = image_.directory(PeImage::kCertificates);
    if (directory.size < 8 || directory.address == 0) return true;
    if (directory.address > in_.size() || directory.size > in_.size() - directory.address) {
      return fail(in_.size(), "it ends early: its signature would be at " + std::to_string(directory.address));
    }
    const std::uint32_t length = word(directory.address);
    const std::uint16_t revision = in_.little16(directory.address + 4).value_or(0);
    if (length < 8 || length > directory.size || (revision != 0x100 && revision != 0x200)) {
      return fail(directory.address, "its signature has no header");
    }
    return true;
  }

  // .NET (ECMA-335, partition II, section 24.2).
  bool clr() {
    const auto header = image_.place(image_.directory(PeImage::kClr).address);
    if (image_.directory(PeImage::kClr).size < 72 || !header) return true;
    const auto root = image_.place(word(*header + 8));
    if (!root || !in_.has(*root, "BSJB")) return fail(root.value_or(*header), "its metadata does not begin as such");
    const std::uint64_t size = word(*header + 12);
    const std::uint64_t version = word(*root + 12);
    if (version > 256) return fail(*root + 12, "its metadata has no version");
    std::uint64_t at = *root + 16 + version;
    const std::uint64_t count = in_.little16(at + 2).value_or(0);
    at += 4;
    for (std::uint64_t i = 0; i < count && budget_.spend(32); ++i) {
      const std::uint64_t offset = word(at);
      const std::uint64_t length = word(at + 4);
      const std::string_view text = base::as_text(in_.at(at + 8, 32));
      const std::size_t end = text.find('\0');
      if (offset > size || length > size - offset || end == std::string_view::npos || !text.starts_with('#')) {
        return fail(at, "stream " + std::to_string(i) + " of its metadata is none");
      }
      at += 8 + (end / 4 + 1) * 4;
    }
    return true;
  }

  bool symbols() {
    if (image_.symbols == 0 || image_.symbol_count == 0) return true;
    const std::uint64_t strings = image_.symbols + 18 * image_.symbol_count;
    if (strings > in_.size()) return fail(in_.size(), "it ends early, within its symbols");
    return true;
  }

  bool resources(std::uint64_t offset, int depth) {
    const PeDirectory directory = image_.directory(PeImage::kResources);
    const auto root = image_.place(directory.address);
    if (directory.size < 16 || !root || depth == 0) return true;
    const std::uint64_t at = *root + offset;
    const std::uint64_t count = std::uint64_t{in_.little16(at + 12).value_or(0)} + in_.little16(at + 14).value_or(0);
    for (std::uint64_t i = 0; i < count && budget_.spend(64); ++i) {
      const std::uint32_t entry = word(at + 16 + 8 * i + 4);
      const std::uint64_t next = entry & 0x7fffffffU;
      if (next >= directory.size && next >= in_.size() - *root) {
        return fail(at + 16 + 8 * i, "its tree of resources leads nowhere");
      }
      if ((entry & 0x80000000U) != 0 && !resources(next, depth - 1)) return false;
    }
    return true;
  }

  Report contents() {
    std::vector<Stretch> stretches;
    std::uint64_t end = 0;
    const bool linux_kernel = in_.has(0x202, "HdrS");              // its .text is packed
    const bool dotnet = image_.directory(PeImage::kClr).size > 0;  // .text holds resources too
    std::ranges::sort(image_.sections, {}, [](const PeSection& s) { return s.raw.offset; });
    for (const PeSection& section : image_.sections) {
      if (section.raw.size == 0) continue;
      const bool code = section.name == ".text" || section.name == "CODE" || section.name == ".code" ||
                        section.name == "INIT" || section.name == "PAGE" || section.name == ".reloc" ||
                        section.name == ".pdata";
      if (code && !linux_kernel && !dotnet && section.raw.offset >= end) {
        const std::uint64_t size = std::min(section.raw.size, in_.size() - section.raw.offset);
        add_stretch(stretches, {{section.raw.offset, size}, Density::kPlain});
      }
      end = std::max(end, section.raw.end());
    }
    if (image_.symbols != 0) end = std::max(end, image_.symbols + 18 * image_.symbol_count);
    // Installers and self-extracting archives carry their load behind everything.
    if (end > 0 && end < in_.size()) add_stretch(stretches, {{end, in_.size() - end}, Density::kDense});
    return whole(std::move(stretches));
  }

  Window& in_;
  Budget& budget_;
  PeImage image_;
  Report report_;
};

}  // namespace
}  // namespace pe

bool is_pe(Window& in) {
  if (!in.has(0, "MZ")) return false;
  const auto at = in.little32(60);
  return at && *at < (1U << 20) && in.has(*at, std::string_view("PE\0\0", 4));
}

Report check_pe(Window& in, Budget& budget) {
  Report wrong;
  auto image = read_pe(in, wrong);
  if (!image) return wrong;
  return pe::Checker(in, budget, std::move(*image)).run();
}

}  // namespace kura::detect::programs
