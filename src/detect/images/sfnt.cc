// Each table of a font has a checksum, which font tools keep right, but for some old or hand-made fonts: those have
// wrong ones in all or single tables, and the padding and `head` are counted differently. So one wrong checksum is not
// enough where others are wrong by the same way; see `judge`.
#include "detect/images/sfnt.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/escape.h"
#include "detect/codec/brotli.h"
#include "detect/codec/inflate.h"

namespace kura::detect::sfnt {
namespace {

struct Table {
  std::string tag;
  std::uint32_t sum = 0;
  Range range;
};

// The sum of big-endian words, the last one filled up with zeros.
std::uint32_t sum_of(Window& in, Range range, Budget& budget) {
  constexpr std::size_t kPiece = 64U << 10;
  std::uint32_t sum = 0;
  for (std::uint64_t done = 0; done < range.size && budget.spend(kPiece / 16);) {
    const base::ByteSpan bytes =
        in.at(range.offset + done, static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, range.size - done)));
    if (bytes.empty()) break;
    budget.spend(bytes.size());
    std::size_t i = 0;
    for (; i + 4 <= bytes.size(); i += 4) sum += big<std::uint32_t>(bytes, i);
    std::uint32_t last = 0;
    for (std::size_t k = 0; i + k < bytes.size(); ++k) last |= std::uint32_t{bytes[i + k]} << (24 - 8 * k);
    sum += last;
    done += bytes.size();
  }
  return sum;
}

// The directory at `offset`, or what is wrong with it.
Report directory(Window& in, std::uint64_t offset, std::vector<Table>& tables) {
  const std::uint32_t count = in.big16(offset + 4).value_or(0);
  const base::ByteSpan entries = in.at(offset + 12, 16 * std::size_t{count});
  if (count == 0 || entries.size() < 16 * std::size_t{count})
    return broken(in.size(), "the file ends early, within the directory");
  for (std::size_t i = 0; i < count; ++i) {
    Table table;
    table.tag = std::string(base::as_text(entries.subspan(16 * i, 4)));
    if (std::ranges::any_of(table.tag, [](char c) { return c < ' ' || c > '~'; })) {
      return broken(offset + 12 + 16 * i, "the directory names a table that can be none");
    }
    table.sum = big<std::uint32_t>(entries, 16 * i + 4);
    table.range = {big<std::uint32_t>(entries, 16 * i + 8), big<std::uint32_t>(entries, 16 * i + 12)};
    if (table.range.end() > in.size())
      return broken(in.size(), "the file ends early, before the end of table " + base::printable(table.tag));
    tables.push_back(std::move(table));
  }
  return whole();
}

bool sum_is_right(Window& in, const Table& table, Budget& budget) {
  const std::uint32_t sum = sum_of(in, table.range, budget);
  if (sum == table.sum) return true;
  if (table.tag != "head" || table.range.size < 12) return false;
  // Its field checkSumAdjustment counts as zero, and some tools forget to.
  return sum - in.big32(table.range.offset + 8).value_or(0) == table.sum;
}

// A font of which every checksum is zero or wrong never had any; single ones that are wrong are damage, but for those
// that tools are known to change without counting anew.
Report judge(Window& in, const std::vector<Table>& tables, Budget& budget) {
  const Table* wrong = nullptr;
  bool all_zero = true;
  for (const Table& table : tables) {
    all_zero = all_zero && table.sum == 0;
    const bool forgiven = table.tag == "DSIG" || table.tag == "FFTM" || table.tag == "head";
    if (!sum_is_right(in, table, budget) && !forgiven && wrong == nullptr) wrong = &table;
  }
  if (budget.spent_out()) return over_budget();
  if (wrong == nullptr) return whole();
  if (all_zero) return whole({{{0, in.size()}, Density::kPlain}});
  return broken(wrong->range.offset, "the checksum of table " + base::printable(wrong->tag) + " is wrong");
}

}  // namespace

bool recognise(Window& in) {
  if (in.has(0, "ttcf")) return in.big32(4) == 0x00010000 || in.big32(4) == 0x00020000;
  const bool known = in.has(0, std::string_view("\0\1\0\0", 4)) || in.has(0, "OTTO") || in.has(0, "true");
  const std::uint32_t count = in.big16(4).value_or(0);
  if (!known || count == 0 || count > 256) return false;
  const base::ByteSpan tag = in.at(12, 4);
  return tag.size() == 4 && std::ranges::all_of(tag, [](std::uint8_t c) { return c >= ' ' && c <= '~'; });
}

Report check(Window& in, Budget& budget) {
  std::vector<Table> tables;
  if (!in.has(0, "ttcf")) {
    if (Report report = directory(in, 0, tables); report.finding != Finding::kWhole) return report;
    return judge(in, tables, budget);
  }
  const std::uint32_t fonts = in.big32(8).value_or(0);
  if (fonts == 0 || fonts > 4096) return broken(8, "a collection of an impossible number of fonts");
  std::map<std::pair<std::uint64_t, std::uint64_t>, Table> once;  // fonts share tables
  for (std::uint32_t i = 0; i < fonts && budget.spend(4096); ++i) {
    tables.clear();
    const std::uint64_t at = in.big32(12 + 4ULL * i).value_or(0xFFFFFFFF);
    if (Report report = directory(in, at, tables); report.finding != Finding::kWhole) return report;
    for (Table& table : tables) {
      if (once.size() < 65536) once.try_emplace({table.range.offset, table.range.size}, std::move(table));
    }
  }
  tables.clear();
  for (auto& [where, table] : once) tables.push_back(std::move(table));
  return judge(in, tables, budget);
}

bool recognise_woff(Window& in) { return in.has(0, "wOFF") && in.big16(12).value_or(0) > 0 && in.big16(14) == 0; }

Report check_woff(Window& in, Budget& budget) {
  if (in.big32(8).value_or(0) > in.size()) return broken(in.size(), "the file ends early");
  const std::uint32_t count = in.big16(12).value_or(0);
  for (std::uint64_t i = 0; i < count && budget.spend(64); ++i) {
    const base::ByteSpan entry = in.at(44 + 20 * i, 20);
    if (entry.size() < 20) return broken(in.size(), "the file ends early, within the directory");
    const std::string name = "table " + base::printable(base::as_text(entry.first(4)));
    const Range range{big<std::uint32_t>(entry, 4), big<std::uint32_t>(entry, 8)};
    const std::uint32_t plain = big<std::uint32_t>(entry, 12);
    if (range.end() > in.size()) return broken(in.size(), "the file ends early, before the end of " + name);
    if (range.size > plain) return broken(44 + 20 * i, name + " is larger packed than unpacked");
    if (range.size == plain) {
      const Table table{std::string(base::as_text(entry.first(4))), big<std::uint32_t>(entry, 16), range};
      if (table.tag != "DSIG" && table.tag != "head" && !sum_is_right(in, table, budget)) {
        return broken(range.offset, "the checksum of " + name + " is wrong");
      }
      continue;
    }
    const Inflated unpacked = inflate(in, range, Wrapping::kZlib, budget);
    if (unpacked.end == InflateEnd::kOverBudget) return over_budget();
    if (unpacked.end != InflateEnd::kDone || unpacked.made != plain) {
      return broken(range.offset, name + " does not unpack");
    }
  }
  return budget.spent_out() ? over_budget() : whole();
}

bool recognise_woff2(Window& in) { return in.has(0, "wOF2") && in.big16(14) == 0; }

namespace {

// UIntBase128 (WOFF 2.0, 4.1): seven bits a byte, the first ones first, without leading zeros.
std::optional<std::uint32_t> base128(Window& in, std::uint64_t& at) {
  std::uint64_t number = 0;
  for (int i = 0; i < 5; ++i) {
    const auto byte = in.byte(at++);
    if (!byte || (i == 0 && *byte == 0x80)) return std::nullopt;
    number = number << 7 | (*byte & 0x7FU);
    if (number > 0xFFFFFFFF) return std::nullopt;
    if ((*byte & 0x80U) == 0) return static_cast<std::uint32_t>(number);
  }
  return std::nullopt;
}

// The bytes of all tables as they are packed (4.1); `at` is moved from the directory to what follows it.
std::optional<std::uint64_t> packed_tables(Window& in, std::uint64_t& at, Budget& budget) {
  constexpr std::uint8_t kGlyf = 10;
  constexpr std::uint8_t kLoca = 11;
  constexpr std::uint8_t kOther = 63;  // a tag follows
  std::uint64_t sum = 0;
  for (std::uint32_t i = in.big16(12).value_or(0); i > 0; --i) {
    const auto flags = in.byte(at++);
    if (!flags || !budget.spend(16)) return std::nullopt;
    const std::uint8_t tag = *flags & 63;
    if (tag == kOther) at += 4;
    const auto plain = base128(in, at);
    const bool glyphs = tag == kGlyf || tag == kLoca;
    const bool transformed = glyphs ? *flags >> 6 == 0 : *flags >> 6 != 0;
    const auto length = transformed ? base128(in, at) : plain;
    if (!plain || !length) return std::nullopt;
    sum += *length;
  }
  return sum;
}

}  // namespace

Report check_woff2(Window& in, Budget& budget) {
  constexpr std::uint32_t kCollection = 0x74746366;  // "ttcf": a second directory follows, which is not read here
  const std::uint64_t length = in.big32(8).value_or(0);
  const std::uint64_t packed = in.big32(20).value_or(0);
  if (length > in.size()) return broken(in.size(), "the file ends early");
  if (packed > length || length < 48) return broken(20, "a header with impossible lengths");
  if (in.big32(4) == kCollection) return whole({{{48, in.size() - 48}, Density::kDense}});
  std::uint64_t at = 48;
  const auto plain = packed_tables(in, at, budget);
  if (budget.spent_out()) return over_budget();
  if (!plain || at > length || packed > length - at) return broken(48, "a directory with impossible lengths");
  const Inflated tables = unpack_brotli(in, {at, packed}, budget);
  if (tables.end == InflateEnd::kOverBudget) return over_budget();
  if (tables.end != InflateEnd::kDone || tables.made != *plain) {
    return broken(at + std::min(tables.used, packed), "its tables do not unpack to what its directory says");
  }
  return whole();
}

}  // namespace kura::detect::sfnt
