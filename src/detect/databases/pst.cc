// By [MS-PST] 2.2 and 2.6; the pages of 4 KiB of Outlook 2013's OST, which it does not tell, by libpff's documentation.
#include "detect/databases/pst.h"

#include <algorithm>
#include <string>
#include <vector>

#include "detect/codec/inflate.h"

namespace kura::detect::pst {
namespace {

constexpr std::size_t kBatch = 64U << 10;    // blocks that are sorted by place before they are read
constexpr std::size_t kMostPages = 1 << 20;  // of one tree, that wait to be read
constexpr std::uint32_t kMostDepth = 16;

// The three layouts.
struct Layout {
  std::uint64_t page = 512;    // bytes
  std::uint64_t body = 496;    // of a page, that its checksum covers
  std::uint64_t trailer = 16;  // of a block
  std::uint64_t align = 64;    // of a block
  std::uint64_t counts = 488;  // where a page of a tree counts its entries
  bool wide = true;            // numbers of 64 bits ("Unicode")
};

struct Block {
  std::uint64_t at = 0;
  std::uint64_t id = 0;
  std::uint32_t size = 0;
};

struct Page {
  std::uint64_t at = 0;
  std::uint64_t id = 0;
  std::uint32_t level = kMostDepth;  // less than
};

// CRC-32 without its two inversions (5.3).
std::uint32_t sum_of(base::ByteSpan bytes) { return ~crc32(bytes, 0xFFFFFFFF); }

class Checker {
 public:
  Checker(Window& in, Budget& budget) : in_(in), budget_(budget) {}
  Report run();

 private:
  bool header();
  bool tree(std::uint64_t root, std::uint8_t type);
  bool page(const Page& at, std::uint8_t type, std::vector<Page>& todo);
  bool entries(base::ByteSpan bytes, const Page& at, std::uint8_t type, std::vector<Page>& todo);
  bool blocks();
  bool block(const Block& at);
  bool maps();
  std::uint64_t number(base::ByteSpan bytes, std::size_t offset) const {
    return layout_.wide ? little<std::uint64_t>(bytes, offset) : little<std::uint32_t>(bytes, offset);
  }
  std::uint64_t number_at(std::uint64_t offset) {
    return layout_.wide ? in_.little64(offset).value_or(0) : in_.little32(offset).value_or(0);
  }
  bool fail(std::uint64_t at, std::string evidence) {
    report_ = broken(at, std::move(evidence));
    return false;
  }
  bool spent() {
    report_ = over_budget();
    return false;
  }

  Window& in_;
  Budget& budget_;
  Layout layout_;
  Report report_;
  std::vector<Block> blocks_;
};

// 2.2.2.6
bool Checker::header() {
  const base::ByteSpan head = in_.at(0, 564);
  if (head.size() < 564) return fail(in_.size(), "it ends early, in its header");
  const auto version = little<std::uint16_t>(head, 10);
  if (version == 14 || version == 15) layout_ = {512, 500, 12, 64, 496, false};
  if (version >= 36) layout_ = {4096, 4072, 24, 512, 4056, true};
  if (little<std::uint32_t>(head, 4) != sum_of(head.subspan(8, 471))) {
    return fail(4, "the checksum of its header is wrong");
  }
  if (layout_.wide && little<std::uint32_t>(head, 524) != sum_of(head.subspan(8, 516))) {
    return fail(524, "the second checksum of its header is wrong");
  }
  const std::uint64_t end = number(head, layout_.wide ? 184 : 168);
  if (end > in_.size()) return fail(in_.size(), "it ends early: its header says " + std::to_string(end) + " bytes");
  return true;
}

// A page of a tree leads to pages one level below it, or to blocks.
bool Checker::entries(base::ByteSpan bytes, const Page& at, std::uint8_t type, std::vector<Page>& todo) {
  const auto counts = static_cast<std::size_t>(layout_.counts);
  const bool large = layout_.page > 512;
  const std::uint64_t count = large ? little<std::uint16_t>(bytes, counts) : bytes[counts];
  const std::uint64_t size = bytes[counts + (large ? 4 : 2)];
  const std::uint32_t level = bytes[counts + (large ? 5 : 3)];
  const std::size_t wide = layout_.wide ? 8 : 4;
  if (size < 3 * wide || count * size > layout_.counts || level >= at.level) {
    return fail(at.at, "the page at " + std::to_string(at.at) + " of its trees is damaged");
  }
  if (!budget_.spend(count * 16)) return spent();
  for (std::size_t i = 0; i < count; ++i) {
    const base::ByteSpan entry = bytes.subspan(i * static_cast<std::size_t>(size), static_cast<std::size_t>(size));
    if (level > 0) {
      if (todo.size() >= kMostPages) return spent();
      todo.push_back({number(entry, 2 * wide), number(entry, wide), level});
    } else if (type == 0x80) {
      blocks_.push_back({number(entry, wide), number(entry, 0), little<std::uint16_t>(entry, 2 * wide)});
    }
  }
  return true;
}

// 2.2.2.7.1
bool Checker::page(const Page& at, std::uint8_t type, std::vector<Page>& todo) {
  const base::ByteSpan bytes = in_.at(at.at, static_cast<std::size_t>(layout_.page));
  if (!budget_.spend(layout_.page)) return spent();
  const std::string name = "the page at " + std::to_string(at.at) + " of its trees";
  if (bytes.size() < layout_.page) return fail(in_.size(), "it ends early: " + name + " is not there");
  const auto end = static_cast<std::size_t>(layout_.body);
  const auto sum = little<std::uint32_t>(bytes, end + (layout_.wide ? 4 : 8));
  const std::uint64_t id = number(bytes, end + (layout_.wide ? 8 : 4));
  if (bytes[end] != type || bytes[end + 1] != type || id != at.id) return fail(at.at, name + " is damaged");
  if (sum != sum_of(bytes.first(end))) return fail(at.at, "the checksum of " + name + " is wrong");
  return entries(bytes, at, type, todo);
}

bool Checker::tree(std::uint64_t root, std::uint8_t type) {
  const std::uint64_t wide = layout_.wide ? 8 : 4;
  std::vector<Page> todo = {{number_at(root + wide), number_at(root), kMostDepth}};
  while (!todo.empty()) {
    const Page next = todo.back();
    todo.pop_back();
    if (!page(next, type, todo)) return false;
    if (blocks_.size() >= kBatch && !blocks()) return false;
  }
  return blocks();
}

// 2.2.2.8.1
bool Checker::block(const Block& at) {
  const std::uint64_t all = (at.size + layout_.trailer + layout_.align - 1) / layout_.align * layout_.align;
  const base::ByteSpan bytes = in_.at(at.at, static_cast<std::size_t>(all));
  if (!budget_.spend(all)) return spent();
  const std::string name = "the block at " + std::to_string(at.at);
  if (bytes.size() < all) return fail(in_.size(), "it ends early: " + name + " is not there");
  const auto trailer = static_cast<std::size_t>(all - layout_.trailer);
  const auto sum = little<std::uint32_t>(bytes, trailer + (layout_.wide ? 4 : 8));
  const std::uint64_t id = number(bytes, trailer + (layout_.wide ? 8 : 4));
  // The lowest bit of a number is reserved.
  if (little<std::uint16_t>(bytes, trailer) != at.size || ((id ^ at.id) & ~1ULL) != 0) {
    return fail(at.at, name + " does not end as its table says");
  }
  if (sum != sum_of(bytes.first(at.size))) return fail(at.at, "the checksum of " + name + " is wrong");
  return true;
}

bool Checker::blocks() {
  std::ranges::sort(blocks_, {}, &Block::at);
  for (const Block& next : blocks_) {
    if (!block(next)) return false;
  }
  blocks_.clear();
  return true;
}

// The maps of what is free lie at fixed places (2.2.2.7.2); they may be out of date when the header says so.
bool Checker::maps() {
  if (layout_.page > 512 || in_.byte(layout_.wide ? 248 : 200) == 0) return true;
  const std::uint64_t last = number_at(layout_.wide ? 192 : 172);
  for (std::uint64_t at = 0x4400; at <= last && at < in_.size(); at += 496 * 8 * 64) {
    const base::ByteSpan bytes = in_.at(at, 512);
    if (!budget_.spend(512)) return spent();
    const auto end = static_cast<std::size_t>(layout_.body);
    const bool typed = bytes.size() == 512 && bytes[end] == 0x84 && bytes[end + 1] == 0x84;
    if (!typed || little<std::uint32_t>(bytes, end + (layout_.wide ? 4 : 8)) != sum_of(bytes.first(end))) {
      return fail(at, "the map of free space at " + std::to_string(at) + " is damaged");
    }
  }
  return true;
}

Report Checker::run() {
  if (header() && tree(layout_.wide ? 216 : 184, 0x81) && tree(layout_.wide ? 232 : 192, 0x80)) maps();
  return report_;
}

}  // namespace

bool recognise(Window& in) {
  if (!in.has(0, "!BDN") || in.size() < 12) return false;
  return in.has(8, "SM") || in.has(8, "SO") || in.has(8, "AB");
}

Report check(Window& in, Budget& budget) { return Checker(in, budget).run(); }

}  // namespace kura::detect::pst
