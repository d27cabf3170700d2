#include "detect/databases/sqlite.h"

#include <algorithm>
#include <string>
#include <vector>

namespace kura::detect::sqlite {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kLockByte = 0x40000000;  // its page holds nothing (1.4)

// What the pages have in common.
struct Shape {
  std::uint64_t page = 0;    // bytes
  std::uint64_t usable = 0;  // of them
  std::uint64_t count = 0;   // of pages
};

struct Varint {
  std::uint64_t value = 0;
  std::size_t size = 0;  // 0: it does not end
};

Varint varint(base::ByteSpan bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 9); ++i) {
    if (i == 8) return {value << 8 | bytes[i], 9};
    value = value << 7 | (bytes[i] & 0x7F);
    if (bytes[i] < 0x80) return {value, i + 1};
  }
  return {};
}

// Of a value, by its serial type (2.1).
std::uint64_t value_size(std::uint64_t type) {
  constexpr std::uint8_t kSmall[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < 12 ? kSmall[type] : (type - 12) / 2;
}

// A record's header must account for its whole payload (2.1); `local` is what lies in the page.
bool record_holds(base::ByteSpan local, std::uint64_t payload) {
  const Varint head = varint(local);
  if (head.size == 0 || head.value < head.size || head.value > payload) return payload == 0;
  std::uint64_t total = head.value;
  std::size_t at = head.size;
  while (at < head.value) {
    if (at >= local.size()) return true;  // the header goes on in an overflow page
    const Varint type = varint(local.subspan(at));
    if (type.size == 0) return local.size() - at < 9;
    if (type.value == 10 || type.value == 11 || type.value > (1ULL << 33)) return false;
    total += value_size(type.value);
    at += type.size;
  }
  return at == head.value && total == payload;
}

// How much of a payload lies in the page itself (1.6).
std::uint64_t local_size(std::uint64_t payload, std::uint64_t usable, bool table) {
  const std::uint64_t most = table ? usable - 35 : (usable - 12) * 64 / 255 - 23;
  if (payload <= most) return payload;
  const std::uint64_t least = (usable - 12) * 32 / 255 - 23;
  const std::uint64_t kept = least + (payload - least) % (usable - 4);
  return kept <= most ? kept : least;
}

bool cell_holds(base::ByteSpan page, std::size_t at, std::uint8_t type, const Shape& shape) {
  const bool inner = type == 2 || type == 5;
  const bool table = type == 5 || type == 13;
  if (inner) {
    if (at + 4 > page.size()) return false;
    const std::uint32_t child = big<std::uint32_t>(page, at);
    if (child == 0 || child > shape.count) return false;
    if (table) return varint(page.subspan(at + 4)).size > 0;
    at += 4;
  }
  const Varint payload = varint(page.subspan(at));
  if (payload.size == 0 || payload.value > (1ULL << 33)) return false;
  at += payload.size;
  if (table) {
    const Varint row = varint(page.subspan(at));
    if (row.size == 0) return false;
    at += row.size;
  }
  const std::uint64_t local = local_size(payload.value, shape.usable, table);
  if (at > shape.usable || local > shape.usable - at) return false;
  if (local < payload.value) {
    if (local + 4 > shape.usable - at) return false;
    const std::uint32_t next = big<std::uint32_t>(page, at + static_cast<std::size_t>(local));
    if (next == 0 || next > shape.count) return false;
  }
  return record_holds(page.subspan(at, static_cast<std::size_t>(local)), payload.value);
}

// 1.6; `skip` is 100 on the first page.
bool tree_page_holds(base::ByteSpan page, std::size_t skip, const Shape& shape, Budget& budget) {
  const std::uint8_t type = page[skip];
  const bool inner = type == 2 || type == 5;
  const auto cells = big<std::uint16_t>(page, skip + 3);
  const std::size_t head = skip + (inner ? 12 : 8);
  const std::uint64_t content = big<std::uint16_t>(page, skip + 5);
  const auto free = big<std::uint16_t>(page, skip + 1);
  if (head + 2ULL * cells > shape.usable || free > shape.usable) return false;
  if (content != 0 && (content < head + 2ULL * cells || content > shape.usable)) return false;
  if (inner) {
    const std::uint32_t right = big<std::uint32_t>(page, skip + 8);
    if (right == 0 || right > shape.count) return false;
  }
  if (!budget.spend(16ULL * cells)) return true;
  for (std::size_t i = 0; i < cells; ++i) {
    const auto at = big<std::uint16_t>(page, head + 2 * i);
    if (at < head + 2ULL * cells || at >= shape.usable || !cell_holds(page, at, type, shape)) return false;
  }
  return true;
}

// Pages that are free keep what they held, or are wiped: nothing is asked of them (1.5).
bool mark_free(Window& in, const Shape& shape, std::vector<bool>& free, Budget& budget) {
  std::uint64_t trunk = in.big32(32).value_or(0);
  while (trunk != 0) {
    if (trunk > shape.count || free[trunk] || !budget.spend(16)) return false;
    free[trunk] = true;
    const std::uint64_t at = (trunk - 1) * shape.page;
    const std::uint64_t leaves = in.big32(at + 4).value_or(0);
    if (leaves > shape.page / 4 - 2 || !budget.spend(4 * leaves)) return false;
    for (std::uint64_t i = 0; i < leaves; ++i) {
      const std::uint32_t leaf = in.big32(at + 8 + 4 * i).value_or(0);
      if (leaf == 0 || leaf > shape.count) return false;
      free[leaf] = true;
    }
    trunk = in.big32(at).value_or(0);
  }
  return true;
}

// A page that is no part of a tree is one of a chain (1.7), or maps pages to those that point to them (1.8).
bool other_page_holds(base::ByteSpan page, std::uint64_t number, const Shape& shape, bool mapped) {
  if (big<std::uint32_t>(page, 0) <= shape.count) return true;
  const std::uint64_t each = shape.usable / 5 + 1;
  if (!mapped || number < 2) return false;
  const std::uint64_t since = (number - 2) % each;
  const bool shifted = number > kLockByte / shape.page;  // the page of the lock byte is skipped
  return (since == 0 || (shifted && since <= 1)) && page[0] >= 1 && page[0] <= 5;
}

bool page_holds(base::ByteSpan page, std::uint64_t number, const Shape& shape, bool mapped, Budget& budget) {
  const std::size_t skip = number == 1 ? 100 : 0;
  const std::uint8_t type = page[skip];
  const bool tree = type == 2 || type == 5 || type == 10 || type == 13;
  if (tree && tree_page_holds(page, skip, shape, budget)) return true;
  return number > 1 && other_page_holds(page, number, shape, mapped);
}

Shape shape_of(Window& in) {
  const std::uint64_t size = in.big16(16).value_or(0);
  Shape shape;
  shape.page = size == 1 ? 65536 : size;
  shape.usable = shape.page - std::min<std::uint64_t>(shape.page, in.byte(20).value_or(0));
  shape.count = shape.page == 0 ? 0 : in.size() / shape.page;
  return shape;
}

}  // namespace

bool recognise(Window& in) { return in.has(0, "SQLite format 3\0"sv); }

Report check(Window& in, Budget& budget) {
  const Shape shape = shape_of(in);
  const bool sized = shape.page >= 512 && (shape.page & (shape.page - 1)) == 0 && shape.usable >= 480;
  const bool fractions = in.byte(21) == 64 && in.byte(22) == 32 && in.byte(23) == 32;
  if (!sized || !fractions) return broken(16, "its header has a page size that does not exist");
  const bool counted = in.big32(24) == in.big32(92);  // older versions do not keep the count (1.3.7)
  const std::uint64_t count = counted ? in.big32(28).value_or(0) : 0;
  if (count > shape.count || in.size() < shape.page) {
    return broken(in.size(), "it ends early: its header says " + std::to_string(count) + " pages");
  }
  std::vector<bool> free(shape.count + 1);
  if (!mark_free(in, shape, free, budget)) {
    return budget.spent_out() ? over_budget() : broken(32, "its list of free pages is damaged");
  }
  std::uint64_t wiped = 0;
  const bool mapped = in.big32(52).value_or(0) != 0;
  for (std::uint64_t number = 1; number <= shape.count; ++number) {
    if (free[number] || (number - 1) * shape.page == kLockByte) continue;
    const base::ByteSpan page = in.at((number - 1) * shape.page, shape.page);
    if (!budget.spend(shape.page)) return over_budget();
    if (page.size() < shape.page) break;
    wiped += std::ranges::all_of(page, [](std::uint8_t c) { return c == 0; }) ? 1U : 0U;
    if (!page_holds(page, number, shape, mapped, budget)) {
      return broken((number - 1) * shape.page, "its page " + std::to_string(number) + " is damaged");
    }
  }
  // One page of zeros may be the end of a value of zeros; not most of them.
  if (shape.count >= 4 && wiped > shape.count / 4 * 3)
    return broken(shape.page, "most of its pages are wiped with zeros");
  return budget.spent_out() ? over_budget() : whole();
}

bool recognise_wal(Window& in) {
  const std::uint32_t magic = in.big32(0).value_or(0);
  return (magic == 0x377F0682 || magic == 0x377F0683) && in.big32(4) == 3007000;
}

namespace {

// The running checksum of a log (4.2); the magic's last bit is the order of the numbers.
struct LogSum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  bool big_end = false;

  void add(base::ByteSpan bytes) {
    for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      const std::uint32_t a = big_end ? big<std::uint32_t>(bytes, i) : little<std::uint32_t>(bytes, i);
      const std::uint32_t b = big_end ? big<std::uint32_t>(bytes, i + 4) : little<std::uint32_t>(bytes, i + 4);
      first += a + second;
      second += b + first;
    }
  }
  bool is(base::ByteSpan bytes, std::size_t at) const {
    return first == big<std::uint32_t>(bytes, at) && second == big<std::uint32_t>(bytes, at + 4);
  }
};

}  // namespace

// Behind the frames of now there may be some of an earlier turn, whose first salt is a little less.
Report check_wal(Window& in, Budget& budget) {
  base::ByteSpan head = in.at(0, 32);
  if (head.size() < 32) return broken(in.size(), "it ends early, in its header");
  const std::uint64_t page = big<std::uint32_t>(head, 8);
  const std::uint32_t salt = big<std::uint32_t>(head, 16);
  const std::uint32_t other = big<std::uint32_t>(head, 20);
  if (page < 512 || page > 65536 || (page & (page - 1)) != 0) return broken(8, "its page size does not exist");
  LogSum sum;
  sum.big_end = (head[3] & 1) != 0;
  sum.add(head.first(24));
  if (!sum.is(head, 24)) return broken(24, "the checksum of its header is wrong");
  bool now = true;
  for (std::uint64_t at = 32; in.size() - at >= page + 24; at += page + 24) {
    const base::ByteSpan frame = in.at(at, page + 24);
    if (!budget.spend(page + 24)) return over_budget();
    if (frame.size() < page + 24) break;
    const std::uint32_t its = big<std::uint32_t>(frame, 8);
    const bool same = its == salt && big<std::uint32_t>(frame, 12) == other;
    const std::string name = "frame " + std::to_string((at - 32) / (page + 24) + 1);
    if ((same && !now) || (!same && salt - its > 100000)) return broken(at, name + " is damaged");
    now = same;
    if (!same) continue;
    sum.add(frame.first(8));
    sum.add(frame.subspan(24));
    if (!sum.is(frame, 16)) return broken(at, "the checksum of " + name + " is wrong");
  }
  return whole();
}

}  // namespace kura::detect::sqlite
