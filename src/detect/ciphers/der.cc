#include "detect/ciphers/der.h"

#include <algorithm>
#include <array>

namespace kura::detect::der {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::uint8_t kConstructed = 0x20;

bool is_text(base::ByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte >= ' ' && byte < 0x7F; });
}

// X.690, section 8.19: numbers of seven bits a byte, none beginning with zero bits.
bool is_object_identifier(base::ByteSpan bytes) {
  if (bytes.empty() || (bytes.back() & 0x80) != 0) return false;
  bool first = true;
  for (const std::uint8_t byte : bytes) {
    if (first && byte == 0x80) return false;
    first = (byte & 0x80) == 0;
  }
  return true;
}

// What universal primitive types ask of their contents.
bool holds(Window& in, const Head& head) {
  const base::ByteSpan bytes = in.at(head.content, static_cast<std::size_t>(std::min<std::uint64_t>(head.size, 1024)));
  switch (head.tag) {
    case 1:  // BOOLEAN
      return head.size == 1;
    case 2:  // INTEGER
      return head.size >= 1;
    case 3:  // BIT STRING
      return head.size >= 1 && bytes[0] <= 7;
    case 5:  // NULL
      return head.size == 0;
    case 6:  // OBJECT IDENTIFIER
      return head.size <= 256 && is_object_identifier(bytes);
    case 10:  // ENUMERATED
      return head.size >= 1 && head.size <= 8;
    case 18:  // NumericString, PrintableString, IA5String, VisibleString: some write what is none, as long as it is
              // text
    case 19:
    case 26:
      return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte >= ' '; });
    case 23:  // UTCTime
    case 24:  // GeneralizedTime
      return head.size >= 10 && head.size <= 32 && is_text(bytes);
    default:
      return true;
  }
}

// Types that nobody writes: reserved numbers of the universal class.
bool is_reserved(std::uint8_t tag) {
  const unsigned number = tag & 0x1F;
  return (tag & 0xC0) == 0 && (number == 14 || number == 15 || number == 0);
}

}  // namespace

std::optional<Head> read_head(Window& in, std::uint64_t offset) {
  const base::ByteSpan bytes = in.at(offset, 16);
  if (bytes.size() < 2) return std::nullopt;
  Head head;
  head.tag = bytes[0];
  std::size_t at = 1;
  if ((head.tag & 0x1F) == 0x1F) {
    while (at < 5 && at < bytes.size() && (bytes[at] & 0x80) != 0) ++at;
    ++at;
  }
  if (at >= bytes.size()) return std::nullopt;
  const std::uint8_t first = bytes[at++];
  if (first == 0x80) {
    if ((head.tag & kConstructed) == 0) return std::nullopt;
    head.size = kUntilEnd;
  } else if (first < 0x80) {
    head.size = first;
  } else {
    const std::size_t count = first & 0x7F;
    if (count > 8 || bytes.size() - at < count) return std::nullopt;
    for (std::size_t i = 0; i < count; ++i) head.size = head.size << 8 | bytes[at++];
    if (head.size == kUntilEnd) return std::nullopt;
  }
  head.content = offset + at;
  return head;
}

bool walk(Window& in, std::uint64_t& offset, std::uint64_t end, Budget& budget, std::vector<Stretch>* stretches) {
  std::array<std::uint64_t, kDeepest> ends{};  // kUntilEnd for those that say it by an end-of-contents
  std::size_t depth = 0;
  do {
    if (!budget.spend(16)) return false;
    // Those that are full.
    while (depth > 0 && ends[depth - 1] == offset) --depth;
    if (depth == 0 && offset == end) return true;
    const auto head = read_head(in, offset);
    if (!head) return false;
    if (head->tag == 0 && head->size == 0 && depth > 0 && ends[depth - 1] == kUntilEnd) {
      offset += 2;
      --depth;
      continue;
    }
    std::uint64_t limit = end;
    for (std::size_t i = depth; i-- > 0 && limit == end;) limit = std::min(limit, ends[i]);
    if (is_reserved(head->tag) || head->content > limit) return false;
    if (head->size != kUntilEnd && head->size > limit - head->content) return false;
    if ((head->tag & kConstructed) != 0) {
      if (depth == kDeepest) return false;
      ends[depth++] = head->size == kUntilEnd ? kUntilEnd : head->content + head->size;
      offset = head->content;
      continue;
    }
    if (!holds(in, *head)) return false;
    if (stretches != nullptr && head->size >= 64 && (head->tag == 4 || head->tag == 0x80)) {
      add_stretch(*stretches, {{head->content, head->size}, Density::kDense});
    }
    offset = head->content + head->size;
  } while (depth > 0);
  return true;
}

}  // namespace kura::detect::der
