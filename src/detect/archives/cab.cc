// Cabinet files (MS-CAB): a header, folders, files, and blocks of data of at most 32 KiB with a checksum each.
#include <algorithm>

#include "detect/archives/validators.h"

namespace kura::detect::cab {
namespace {

constexpr std::string_view kMagic("MSCF\0\0\0\0", 8);

// MS-CAB, section 3.1.
std::uint32_t checksum(base::ByteSpan bytes, std::uint32_t seed) {
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) seed ^= little<std::uint32_t>(bytes, at);
  std::uint32_t rest = 0;
  for (; at < bytes.size(); ++at) rest = rest << 8 | bytes[at];
  return seed ^ rest;
}

struct Layout {
  std::uint64_t folders = 0;  // offset
  std::uint64_t folder_size = 8;
  std::uint64_t reserved = 0;  // bytes of each block's header
  std::uint32_t count = 0;
};

// Behind the fixed header stand sizes of reserved room, and names of cabinets before and after, as flags say.
std::optional<Layout> read_layout(Window& in) {
  const auto head = in.whole(0, 36);
  if (!head) return std::nullopt;
  Layout layout;
  layout.count = little<std::uint16_t>(*head, 26);
  const auto flags = little<std::uint16_t>(*head, 30);
  std::uint64_t at = 36;
  if ((flags & 4) != 0) {
    const auto sizes = in.whole(36, 4);
    if (!sizes) return std::nullopt;
    layout.folder_size += (*sizes)[2];
    layout.reserved = (*sizes)[3];
    at += 4 + std::uint64_t{little<std::uint16_t>(*sizes)};
  }
  for (unsigned names = ((flags & 1) != 0 ? 2U : 0U) + ((flags & 2) != 0 ? 2U : 0U); names > 0; --names) {
    const std::string_view text = base::as_text(in.at(at, 512));
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    at += end + 1;
  }
  layout.folders = at;
  return layout;
}

}  // namespace

bool recognise(Window& in) { return in.has(0, kMagic); }

Report check(Window& in, Budget& budget) {
  const auto layout = read_layout(in);
  if (!layout) return broken(0, "the header is damaged, or the file ends early");
  const std::uint64_t size = in.little32(8).value_or(0);
  if (size > in.size())
    return broken(in.size(), "the file ends early: its header says " + std::to_string(size) + " bytes");
  // A cabinet without folders has no files either, and nobody writes one.
  if (layout->count == 0) return broken(26, "the header names no folders");
  Report report;
  std::uint64_t last = 0;
  for (std::uint32_t i = 0; i < layout->count; ++i) {
    const auto folder = in.whole(layout->folders + i * layout->folder_size, 8);
    if (!folder) return broken(in.size(), "the file ends within the list of folders");
    std::uint64_t at = little<std::uint32_t>(*folder);
    const std::uint32_t blocks = little<std::uint16_t>(*folder, 4);
    if ((little<std::uint16_t>(*folder, 6) & 15) > 3) return broken(layout->folders, "a folder's method is none");
    for (std::uint32_t j = 0; j < blocks; ++j) {
      const std::size_t lead = 8 + static_cast<std::size_t>(layout->reserved);
      const auto head = in.whole(at, lead);
      if (!head) return broken(in.size(), "the file ends before a block");
      const std::size_t packed = little<std::uint16_t>(*head, 4);
      const auto sum = little<std::uint32_t>(*head);
      if (packed == 0) return broken(at, "a block is empty");
      if (!budget.spend(packed + 64)) return over_budget();
      const auto block = in.whole(at, lead + packed);
      if (!block) return broken(in.size(), "the file ends within a block");
      // A block without a checksum has zero there.
      if (sum != 0 && checksum(block->subspan(4, lead - 4), checksum(block->subspan(lead), 0)) != sum) {
        return broken(at, "the checksum of a block is wrong");
      }
      if (sum == 0) add_stretch(report.stretches, {{at, lead + packed}, Density::kDense});
      at += lead + packed;
    }
    last = std::max(last, at);
  }
  // A signature may follow.
  if (last > size) return broken(last, "the blocks are longer than the header says");
  return report;
}

}  // namespace kura::detect::cab
