#include "detect/programs/elf.h"

#include <algorithm>
#include <string>

#include "base/escape.h"
#include "detect/codec/inflate.h"
#include "detect/programs/names.h"

namespace kura::detect::programs {
namespace elf {
namespace {

constexpr std::uint32_t kSymbols = 2, kStrings = 3, kRela = 4, kNoBits = 8, kRel = 9, kDynamicSymbols = 11;
constexpr std::uint64_t kExecutable = 4, kCompressed = 0x800;
constexpr std::size_t kMostSections = 200'000;  // objects made with -ffunction-sections have tens of thousands
constexpr std::size_t kLongestName = 64;

struct Section {
  std::uint32_t name = 0;
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  Range range;
  std::uint32_t link = 0;
  std::uint64_t entry = 0;
};

class Checker {
 public:
  Checker(Window& in, Budget& budget) : in_(in), budget_(budget) {}
  Report run();

 private:
  // Numbers in the byte order and width of this file; 0 past its end.
  std::uint16_t half(std::uint64_t at) { return (big_ ? in_.big16(at) : in_.little16(at)).value_or(0); }
  std::uint32_t word(std::uint64_t at) { return (big_ ? in_.big32(at) : in_.little32(at)).value_or(0); }
  std::uint64_t xword(std::uint64_t at) { return (big_ ? in_.big64(at) : in_.little64(at)).value_or(0); }
  std::uint64_t address(std::uint64_t at) { return wide_ ? xword(at) : word(at); }

  bool fail(std::uint64_t at, std::string what) {
    report_ = broken(at, std::move(what));
    return false;
  }
  bool inside(Range range) const { return range.offset <= in_.size() && range.size <= in_.size() - range.offset; }
  std::string name_of(const Section& section);

  bool read_sections();
  Section read_section(std::uint64_t at);
  bool check_segments();
  bool check_section(const Section& section);
  bool check_strings(const Section& section);
  bool check_symbols(const Section& section);
  bool check_relocations(const Section& section);
  bool check_compressed(const Section& section);
  bool check_chain(const Section& section, const std::string& name);
  void add_contents(const Section& section, const std::string& name);

  Window& in_;
  Budget& budget_;
  bool wide_ = false;
  bool big_ = false;
  std::vector<Section> sections_;
  std::size_t names_ = 0;  // the section of the sections' names
  std::uint64_t end_ = 0;  // of all parts
  std::vector<Stretch> stretches_;
  Report report_;
};

std::string Checker::name_of(const Section& section) {
  if (names_ >= sections_.size() || section.name >= sections_[names_].range.size) return "?";
  const std::string_view text = base::as_text(in_.at(sections_[names_].range.offset + section.name, kLongestName));
  return base::printable(text.substr(0, text.find('\0')));
}

Section Checker::read_section(std::uint64_t at) {
  Section section;
  section.name = word(at);
  section.type = word(at + 4);
  section.flags = address(at + 8);
  section.range = wide_ ? Range{xword(at + 24), xword(at + 32)} : Range{word(at + 16), word(at + 20)};
  section.link = word(at + (wide_ ? 40 : 24));
  section.entry = address(at + (wide_ ? 56 : 36));
  return section;
}

bool Checker::read_sections() {
  const std::uint64_t table = address(wide_ ? 40 : 32);
  const std::uint64_t at = wide_ ? 58 : 46;
  const std::uint64_t entry = half(at);
  std::uint64_t count = half(at + 2);
  std::uint64_t names = half(at + 4);
  if (table == 0) return true;  // stripped of them
  if (entry != (wide_ ? 64 : 40)) return fail(at, "the header has a size of section headers that is none");
  if (!inside({table, entry}))
    return fail(in_.size(), "it ends early: its section headers would be at " + std::to_string(table));
  const Section first = read_section(table);
  if (count == 0) count = first.range.size;  // extended numbering
  if (names == 0xffff) names = first.link;
  if (count > kMostSections) return fail(table, "it would have " + std::to_string(count) + " sections");
  if (!inside({table, count * entry})) return fail(in_.size(), "it ends early: within its section headers");
  if (!budget_.spend(count * entry)) return true;
  for (std::uint64_t i = 0; i < count; ++i) sections_.push_back(read_section(table + i * entry));
  names_ = static_cast<std::size_t>(names);
  end_ = table + count * entry;
  return true;
}

bool Checker::check_segments() {
  const std::uint64_t table = address(wide_ ? 32 : 28);
  const std::uint64_t at = wide_ ? 54 : 42;
  const std::uint64_t entry = half(at);
  const std::uint64_t count = half(at + 2);
  if (table == 0 || count == 0) return true;
  if (entry != (wide_ ? 56 : 32)) return fail(at, "the header has a size of program headers that is none");
  if (count == 0xffff) return true;
  if (!inside({table, entry * count})) return fail(in_.size(), "it ends early: within its program headers");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t header = table + i * entry;
    const Range range =
        wide_ ? Range{xword(header + 8), xword(header + 32)} : Range{word(header + 4), word(header + 16)};
    // Files of debug information keep the headers of what was taken out; their sections tell what is there.
    if (!sections_.empty() || range.size == 0) continue;
    if (!inside(range)) return fail(header, "segment " + std::to_string(i) + " lies outside of the file");
    end_ = std::max(end_, range.end());
    if (word(header) == 1) add_stretch(stretches_, {range, Density::kPlain});
  }
  return true;
}

bool Checker::check_strings(const Section& section) {
  const auto wrong = first_not_names(in_, section.range, budget_);
  if (!wrong) return true;
  return fail(*wrong, "section " + name_of(section) + " holds names, but has bytes that no name has");
}

bool Checker::check_symbols(const Section& section) {
  const std::uint64_t entry = wide_ ? 24 : 16;
  if (section.entry != entry || section.link >= sections_.size()) return true;
  const Section& strings = sections_[section.link];
  if (strings.type != kStrings) return true;
  std::uint64_t wrong = 0;
  const std::uint64_t count = section.range.size / entry;
  if (!budget_.spend(section.range.size)) return true;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = section.range.offset + i * entry;
    const std::uint32_t place = half(at + (wide_ ? 6 : 14));
    const bool right = word(at) < strings.range.size && (place < sections_.size() || place >= 0xff00);
    wrong += right ? 0U : 1U;
    if (wrong == 2)
      return fail(at, "symbol " + std::to_string(i) + " of section " + name_of(section) + " points nowhere");
  }
  return true;
}

bool Checker::check_relocations(const Section& section) {
  const std::uint64_t entry = (wide_ ? 16U : 8U) + (section.type == kRela ? (wide_ ? 8U : 4U) : 0U);
  if (section.entry != entry || section.link >= sections_.size()) return true;
  const Section& symbols = sections_[section.link];
  const bool mips = half(18) == 8;  // has three types in one entry
  if (symbols.entry == 0 || mips || (symbols.type != kSymbols && symbols.type != kDynamicSymbols)) return true;
  const std::uint64_t most = symbols.range.size / symbols.entry;
  if (!budget_.spend(section.range.size)) return true;
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < section.range.size / entry; ++i) {
    const std::uint64_t at = section.range.offset + i * entry;
    const std::uint64_t info = address(at + (wide_ ? 8 : 4));
    const std::uint64_t symbol = wide_ ? info >> 32 : info >> 8;
    wrong += symbol < most || symbol == 0 ? 0U : 1U;
    if (wrong == 2)
      return fail(at, "relocation " + std::to_string(i) + " of section " + name_of(section) + " points nowhere");
  }
  return true;
}

bool Checker::check_compressed(const Section& section) {
  const std::uint64_t header = wide_ ? 24 : 12;
  if (section.range.size < header) return fail(section.range.offset, "section " + name_of(section) + " is too short");
  const std::uint32_t method = word(section.range.offset);
  if (method != 1) {  // zstd, and what may come
    add_stretch(stretches_, {section.range, Density::kDense});
    return true;
  }
  const std::uint64_t size = address(section.range.offset + (wide_ ? 8 : 4));
  const Inflated out =
      inflate(in_, {section.range.offset + header, section.range.size - header}, Wrapping::kZlib, budget_);
  if (out.end == InflateEnd::kOverBudget) return true;
  if (out.end != InflateEnd::kDone || out.made != size) {
    return fail(section.range.offset + header + out.used,
                "the compressed section " + name_of(section) + " does not unpack");
  }
  return true;
}

// Units that each begin with their length (DWARF 5, section 7.4; LSB Core, section 10.6 for .eh_frame), to the end.
bool Checker::check_chain(const Section& section, const std::string& name) {
  const bool frames = name == ".eh_frame";
  std::uint64_t done = 0;
  while (section.range.size - done >= 4 && budget_.spend(16)) {
    const std::uint64_t at = section.range.offset + done;
    std::uint64_t length = word(at);
    std::uint64_t header = 4;
    if (length == 0xffffffff && section.range.size - done >= 12) {
      length = xword(at + 4);
      header = 12;
    }
    if (length > section.range.size - done - header)
      return fail(at, "the units of section " + name + " do not follow each other");
    if (frames && length >= 4 && header == 4) {
      const std::uint32_t id = word(at + 4);  // 0, or how far the common entry lies back
      if (id > done + 4 && half(16) != 1) return fail(at, "a frame of section " + name + " belongs to none");
    }
    done += header + length;
  }
  return true;
}

// Not constants (.rodata): one program in 500 has tables of ciphers or of Galois fields there, which look random.
void Checker::add_contents(const Section& section, const std::string& name) {
  static constexpr std::string_view kPlain[] = {".debug_",      ".eh_frame",   ".gcc_except", ".data.rel.ro",
                                                ".gnu.version", ".dynamic",    ".got",        ".init_arr",
                                                ".note",        ".orc_unwind", ".pdata",      ".BTF"};
  const bool packed = name.starts_with(".gnu.lto") || name.starts_with(".gnu_debugdata");
  const bool plain = (section.flags & kExecutable) != 0 ||
                     std::ranges::any_of(kPlain, [&](std::string_view begin) { return name.starts_with(begin); });
  if (plain && !packed) add_stretch(stretches_, {section.range, Density::kPlain});
}

bool Checker::check_section(const Section& section) {
  if (section.type == kNoBits || section.type == 0) return true;
  const std::string name = name_of(section);
  if (!inside(section.range)) return fail(section.range.offset, "section " + name + " lies outside of the file");
  end_ = std::max(end_, section.range.end());
  if ((section.flags & kCompressed) != 0) return check_compressed(section);
  switch (section.type) {
    case kStrings:
      return check_strings(section);
    case kSymbols:
    case kDynamicSymbols:
      return check_symbols(section);
    case kRela:
    case kRel:
      return check_relocations(section);
    default:
      break;
  }
  const bool chained =
      name == ".eh_frame" || name == ".debug_info" || name == ".debug_line" || name == ".debug_aranges";
  if (chained && !check_chain(section, name)) return false;
  add_contents(section, name);
  return true;
}

Report Checker::run() {
  wide_ = in_.byte(4) == 2;
  big_ = in_.byte(5) == 2;
  const std::uint16_t own = half(wide_ ? 52 : 40);
  if (own != (wide_ ? 64 : 52)) return broken(wide_ ? 52 : 40, "the header has a wrong size of itself");
  if (!read_sections() || !check_segments()) return report_;
  if (!sections_.empty() && names_ >= sections_.size())
    return broken(0, "the header names a section that is not there");
  // Forward through the file.
  std::vector<std::size_t> order(sections_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::size_t i) { return sections_[i].range.offset; });
  for (const std::size_t i : order) {
    if (!check_section(sections_[i])) return report_;
    if (budget_.spent_out()) return over_budget();
  }
  // Signatures of kernel modules, images behind a runtime.
  if (end_ < in_.size()) add_stretch(stretches_, {{end_, in_.size() - end_}, Density::kDense});
  // Sections may lie over each other; what is told does not.
  std::ranges::sort(stretches_, {}, [](const Stretch& s) { return s.range.offset; });
  std::vector<Stretch> apart;
  for (Stretch& stretch : stretches_) {
    const std::uint64_t from = apart.empty() ? 0 : apart.back().range.end();
    if (stretch.range.end() <= from) continue;
    if (stretch.range.offset < from) stretch.range = {from, stretch.range.end() - from};
    add_stretch(apart, stretch);
  }
  return whole(std::move(apart));
}

}  // namespace
}  // namespace elf

bool is_elf(Window& in) {
  const base::ByteSpan head = in.at(0, 24);
  if (head.size() < 24 || base::as_text(head.first(4)) !=
                              "\x7f"
                              "ELF")
    return false;
  return (head[4] == 1 || head[4] == 2) && (head[5] == 1 || head[5] == 2) && head[6] == 1;
}

Report check_elf(Window& in, Budget& budget) { return elf::Checker(in, budget).run(); }

}  // namespace kura::detect::programs
