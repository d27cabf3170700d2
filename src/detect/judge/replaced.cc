#include "detect/judge/replaced.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "detect/stats/texture.h"

namespace kura::detect {
namespace {

using base::ByteSpan;

constexpr std::size_t kCell = 16;
constexpr std::uint64_t kFewest = 32;  // bytes of which anything is said
constexpr std::uint64_t kTelling = 256;
constexpr std::uint64_t kFewestPrinted = 64;  // a version or a digest is printed, too

// Of few bytes, that they are hardly ever repeated says that they are random.
bool looks_random(const ByteCounts& counts) {
  if (counts.total() >= kTelling) return counts.looks_random();
  const double expected = 256 * (1 - std::exp(-static_cast<double>(counts.total()) / 256));
  return counts.total() >= kFewest && counts.distinct() > 0.88 * expected;
}

enum class Cell : std::uint8_t { kNone, kKept, kReplaced, kEdited };

Cell compare_cell(ByteSpan before, ByteSpan after) {
  std::size_t equal = 0;
  for (std::size_t i = 0; i < before.size(); ++i) equal += before[i] == after[i] ? 1U : 0U;
  if (equal == before.size()) return Cell::kKept;
  return equal <= before.size() / 8 + 1 ? Cell::kReplaced : Cell::kEdited;
}

class Comparison {
 public:
  explicit Comparison(bool comparable) { found_.comparable = comparable; }

  void add(std::uint64_t offset, ByteSpan before, ByteSpan after);
  Replaced take() { return std::move(found_); }

 private:
  void add_cell(std::uint64_t offset, ByteSpan before, ByteSpan after);
  void turn(std::uint64_t offset, Cell cell);

  Replaced found_;
  Cell last_ = Cell::kNone;
  bool open_ = false;
  bool met_equal_ = false;
};

void Comparison::turn(std::uint64_t offset, Cell cell) {
  if (last_ != Cell::kNone && last_ != cell) {
    ++found_.borders;
    found_.border_bits |= offset;
  }
  last_ = cell;
}

void Comparison::add_cell(std::uint64_t offset, ByteSpan before, ByteSpan after) {
  const Cell cell = compare_cell(before, after);
  turn(offset, cell);
  if (cell == Cell::kKept) {
    ++found_.kept;
    return;
  }
  ++(cell == Cell::kEdited ? found_.edited : found_.replaced);
  found_.before.add(before);
  found_.after.add(after);
}

void Comparison::add(std::uint64_t offset, ByteSpan before, ByteSpan after) {
  const bool whole = before.size() == kBlock && after.size() == kBlock;
  if (std::ranges::equal(before, after)) {
    if (open_ && met_equal_ && whole) ++found_.runs;
    open_ = false;
    met_equal_ = true;
    turn(offset, Cell::kKept);
    found_.kept += before.size() / kCell;
    return;
  }
  if (whole) {
    ++found_.blocks;
    ByteCounts counts;
    counts.add(after);
    found_.random += counts.looks_random() ? 1U : 0U;
    open_ = true;
  }
  // What is left behind the last whole cell is too little to say anything by.
  for (std::size_t i = 0; found_.comparable && i + kCell <= before.size(); i += kCell) {
    add_cell(offset + i, before.subspan(i, kCell), after.subspan(i, kCell));
  }
}

bool is_hexadecimal(std::uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_base64(std::uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/' ||
         c == '-' || c == '_' || c == '=';
}
bool is_line_end(std::uint8_t c) { return c == '\n' || c == '\r'; }

}  // namespace

std::uint64_t Replaced::alignment_bits() const {
  if (borders == 0) return 0;
  const auto aligned = static_cast<std::uint64_t>(std::countr_zero(border_bits));
  return borders * (aligned - 2);  // a cell may be taken for replaced when a fourth of it was not
}

bool Replaced::is_random() const { return looks_random(after); }
bool Replaced::became_random() const { return looks_random(after) && !looks_random(before); }

Replaced compare_contents(Window& before, Window& after) {
  const bool comparable = after.size() >= before.size() && after.size() - before.size() <= kBlock;
  Comparison comparison(comparable);
  const std::uint64_t size = std::min(before.size(), after.size());
  const std::uint64_t end = comparable ? size : size / kBlock * kBlock;
  for (std::uint64_t offset = 0; offset < end; offset += kBlock) {
    const ByteSpan old_bytes = before.at(offset, kBlock);
    const ByteSpan new_bytes = after.at(offset, kBlock);
    const std::size_t both = std::min(old_bytes.size(), new_bytes.size());
    comparison.add(offset, old_bytes.first(both), new_bytes.first(both));
    if (both < std::min<std::uint64_t>(kBlock, end - offset)) break;  // one of them cannot be read
  }
  return comparison.take();
}

bool is_printed(std::uint64_t before_size, Window& after) {
  const std::uint64_t as_base64 = (before_size + 2) / 3 * 4;
  const std::uint64_t as_digits = before_size * 2;
  const auto fits = [&](std::uint64_t length) {
    return after.size() >= length && after.size() - length <= length / 32 + 2;
  };
  if (before_size < kFewestPrinted || (!fits(as_base64) && !fits(as_digits))) return false;
  const bool digits = fits(as_digits);
  std::uint64_t printed = 0;
  for (std::uint64_t offset = 0; offset < after.size();) {
    const ByteSpan bytes = after.at(offset, 64U << 10);
    if (bytes.empty()) return false;
    for (const std::uint8_t c : bytes) {
      if (digits ? is_hexadecimal(c) : is_base64(c))
        ++printed;
      else if (!is_line_end(c))
        return false;
    }
    offset += bytes.size();
  }
  return printed == (digits ? as_digits : as_base64);
}

}  // namespace kura::detect
