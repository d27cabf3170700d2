// By the documentation of mdbtools (HACKING.md) and Jackcess; the format has no published specification.
#include "detect/databases/jet.h"

#include <algorithm>
#include <string>

namespace kura::detect::jet {
namespace {

using namespace std::string_view_literals;

// Pages that were freed keep their type, or are marked by a larger one.
constexpr std::uint8_t kLastType = 9;

struct Shape {
  std::uint64_t page = 4096;
  std::size_t count_at = 12;  // of a page of rows: how many there are
};

// The header is masked with one key stream for all databases; a key of its own means that the pages are encrypted.
bool encrypted(Window& in) { return (in.little32(0x3E).value_or(0) ^ 0x4EBC8AFBU) != 0; }

// Rows are filled in from the end of the page, so their beginnings descend; the upper bits are flags.
bool rows_descend(base::ByteSpan page, const Shape& shape) {
  const std::size_t count = little<std::uint16_t>(page, shape.count_at);
  const std::size_t head = shape.count_at + 2 + 2 * count;
  if (head > page.size()) return false;
  std::size_t before = page.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = little<std::uint16_t>(page, shape.count_at + 2 + 2 * i) & 0x1FFF;
    if (row > before || row < head) return false;
    before = row;
  }
  return true;
}

// Of the entries of an index, what is free and whose it is.
bool page_holds(base::ByteSpan page, std::uint64_t pages, const Shape& shape) {
  if (page[0] > kLastType || page[1] > 1) return false;
  if (page[0] == 1) return rows_descend(page, shape);
  if (page[0] != 3 && page[0] != 4) return true;
  return little<std::uint16_t>(page, 2) < page.size() && little<std::uint32_t>(page, 4) < pages;
}

bool is_zero(base::ByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t c) { return c == 0; });
}

bool jet_head(Window& in) { return in.has(0, "\0\1\0\0"sv); }

}  // namespace

bool recognise(Window& in) {
  return jet_head(in) && (in.has(4, "Standard Jet DB\0"sv) || in.has(4, "MSISAM Database\0"sv));
}

bool recognise_accdb(Window& in) { return jet_head(in) && in.has(4, "Standard ACE DB\0"sv); }

Report check(Window& in, Budget& budget) {
  Shape shape;
  if (in.byte(0x14) == 0) shape = {2048, 8};
  if (in.byte(0x14).value_or(99) > 16) return broken(0x14, "its header has a version that does not exist");
  if (in.size() < 3 * shape.page) return broken(in.size(), "it ends early: it has no tables");
  if (in.size() % shape.page != 0) return broken(in.size(), "it ends early, inside of a page");
  if (in.has(4, "MSISAM"sv) || encrypted(in)) return cipher("a database of Access that is encrypted");
  const std::uint64_t pages = in.size() / shape.page;
  std::uint64_t wiped = 0;
  for (std::uint64_t number = 1; number < pages; ++number) {
    const base::ByteSpan page = in.at(number * shape.page, static_cast<std::size_t>(shape.page));
    if (!budget.spend(shape.page)) return over_budget();
    if (page.size() < shape.page) break;
    if (page[0] == 0 && is_zero(page)) {
      ++wiped;
    } else if (!page_holds(page, pages, shape)) {
      return broken(number * shape.page, "its page " + std::to_string(number) + " is damaged");
    }
  }
  if (wiped > pages / 4 * 3) return broken(shape.page, "most of its pages are wiped with zeros");
  return whole({{{shape.page, in.size() - shape.page}, Density::kPlain}});
}

}  // namespace kura::detect::jet
