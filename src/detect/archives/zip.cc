// ZIP archives (PKWARE APPNOTE 6.3.10): directory, local headers and the data of each part have to agree.
#include <algorithm>

#include "base/escape.h"
#include "detect/archives/validators.h"
#include "detect/archives/zip_directory.h"
#include "detect/codec/inflate.h"

namespace kura::detect::zip {
namespace {

constexpr std::uint32_t kLocalMagic = 0x04034b50;
constexpr std::size_t kLocalSize = 30;
constexpr std::uint64_t kSmallGap = 64;  // data descriptors, alignment

std::string shown(Window& in, const Part& part) { return base::printable(part_name(in, part).substr(0, 200)); }

// Bytes in which nothing is told apart from zeros that fill.
bool is_filler(Window& in, Range range) {
  const base::ByteSpan bytes = in.at(range.offset, static_cast<std::size_t>(std::min<std::uint64_t>(range.size, 4096)));
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

class Checker {
 public:
  Checker(Window& in, Budget& budget) : in_(in), budget_(budget) {}

  Report run();

 private:
  bool check_batch(std::vector<Part>& parts, std::uint64_t until);
  bool check_part(const Part& part, std::uint64_t& end);
  bool check_data(const Part& part, std::uint64_t data);
  bool check_stored(const Part& part, std::uint64_t data);
  bool check_deflated(const Part& part, std::uint64_t data);
  bool fail(std::uint64_t at, std::string evidence) {
    report_ = broken(at, std::move(evidence));
    return false;
  }
  bool run_out() {
    report_ = over_budget();
    return false;
  }
  void add_gap(std::uint64_t from, std::uint64_t to) {
    if (to <= from || to - from <= kSmallGap || is_filler(in_, {from, to - from})) return;
    add_stretch(report_.stretches, {{from, to - from}, Density::kDense});
  }

  Window& in_;
  Budget& budget_;
  Report report_;
  std::uint64_t encrypted_ = 0;  // bytes of parts, packed
  std::uint64_t clear_ = 0;
};

// The local header repeats the central one; with a data descriptor its sizes and checksum may be zero.
bool agrees(base::ByteSpan local, const Part& part) {
  if (little<std::uint16_t>(local, 8) != part.method) return false;
  const auto crc = little<std::uint32_t>(local, 14);
  const auto packed = little<std::uint32_t>(local, 18);
  const bool described = ((little<std::uint16_t>(local, 6) | part.flags) & (kDescriptor | kHiddenNames)) != 0;
  if (described) return true;
  return crc == part.crc && (packed == 0xFFFFFFFF || packed == part.packed);
}

bool Checker::check_part(const Part& part, std::uint64_t& end) {
  const auto local = in_.whole(part.local, kLocalSize);
  if (!local) return fail(part.local, "the file ends before part " + shown(in_, part));
  if (little<std::uint32_t>(*local) != kLocalMagic || !agrees(*local, part)) {
    return fail(part.local, "the header of part " + shown(in_, part) + " is not what the directory says");
  }
  const auto name_size = little<std::uint16_t>(*local, 26);
  const auto extra_size = little<std::uint16_t>(*local, 28);
  const base::ByteSpan name = in_.at(part.local + kLocalSize, name_size);
  if ((part.flags & kHiddenNames) == 0 && crc32(name) != part.name_crc) {
    return fail(part.local, "the name of part " + shown(in_, part) + " is another one before its data");
  }
  const std::uint64_t data = part.local + kLocalSize + name_size + extra_size;
  if (data > in_.size() || part.packed > in_.size() - data) {
    return fail(in_.size(), "the file ends within part " + shown(in_, part));
  }
  end = data + part.packed;
  return check_data(part, data);
}

bool Checker::check_data(const Part& part, std::uint64_t data) {
  if ((part.flags & kPassword) != 0 || part.method == 99) {
    encrypted_ += part.packed;
    add_stretch(report_.stretches, {{data, part.packed}, Density::kDense});
    return true;
  }
  clear_ += part.packed;
  if (part.method == 0) return check_stored(part, data);
  if (part.method == 8) return check_deflated(part, data);
  // Deflate64, bzip2, LZMA and others are rare in ZIP, and not unpacked here.
  add_stretch(report_.stretches, {{data, part.packed}, Density::kDense});
  return true;
}

bool Checker::check_stored(const Part& part, std::uint64_t data) {
  const std::uint32_t crc = crc32(in_, {data, part.packed}, budget_);
  if (budget_.spent_out()) return run_out();
  if (crc == part.crc && part.packed == part.size) return true;
  return fail(data, "the checksum of part " + shown(in_, part) + " is wrong");
}

bool Checker::check_deflated(const Part& part, std::uint64_t data) {
  const Inflated got = inflate(in_, {data, part.packed}, Wrapping::kRaw, budget_);
  if (got.end == InflateEnd::kOverBudget) return run_out();
  // Some write a directory as a deflated part of no bytes at all.
  if (part.packed == 0 && part.size == 0) return true;
  if (got.end == InflateEnd::kBroken) {
    return fail(data + got.used, "part " + shown(in_, part) + " does not unpack");
  }
  if (got.end == InflateEnd::kEndsEarly) return fail(data + got.used, "part " + shown(in_, part) + " ends early");
  // Only the low 32 bits stand in archives of writers that know no ZIP64.
  if ((got.made & 0xFFFFFFFF) != (part.size & 0xFFFFFFFF)) {
    return fail(data, "part " + shown(in_, part) + " unpacks to another size than the directory says");
  }
  if (got.crc32 == part.crc) return true;
  return fail(data, "the checksum of part " + shown(in_, part) + " is wrong");
}

bool Checker::check_batch(std::vector<Part>& parts, std::uint64_t until) {
  std::ranges::sort(parts, {}, &Part::local);
  std::uint64_t end = parts.empty() ? until : std::min(parts.front().local, until);
  for (const Part& part : parts) {
    if (!budget_.spend(256)) return run_out();
    add_gap(end, part.local);
    if (!check_part(part, end)) return false;
  }
  add_gap(end, until);
  return true;
}

Report Checker::run() {
  const Directory directory = find_directory(in_);
  switch (directory.state) {
    case Directory::State::kFound:
      break;
    case Directory::State::kOtherDisk:
      return undecided("it is the last volume of an archive in several files");
    case Directory::State::kMissing:
      if (in_.has(0, "PK\7\x08")) return undecided("it is the first volume of an archive in several files");
      return broken(in_.size(), "the archive's directory is missing, or the file ends early");
  }
  std::uint64_t offset = directory.range.offset;
  std::uint64_t count = 0;
  std::vector<Part> parts;
  do {
    if (!read_parts(in_, directory, offset, count, parts)) return broken(offset, "the archive's directory is damaged");
    count += parts.size();
    const bool all = offset == directory.range.end() && count == parts.size();
    if (!check_batch(parts, all ? directory.range.offset : 0)) return report_;
  } while (offset < directory.range.end());
  if ((count & directory.mask) != (directory.parts & directory.mask)) {
    return broken(directory.range.offset, "the archive's directory has " + std::to_string(count) +
                                              " parts, its end says " + std::to_string(directory.parts));
  }
  if (encrypted_ > clear_) return cipher("a ZIP archive with a password");
  return report_;
}

}  // namespace

Report check(Window& in, Budget& budget) { return Checker(in, budget).run(); }

}  // namespace kura::detect::zip
