#include "detect/media/iso_boxes.h"

#include <algorithm>

namespace kura::detect::iso {

std::optional<Box> box_at(Window& in, std::uint64_t offset, std::uint64_t end) {
  if (offset > end || end - offset < 8) return std::nullopt;
  const base::ByteSpan head = in.at(offset, 16);
  if (head.size() < 8) return std::nullopt;
  Box box;
  box.type = std::string(base::as_text(head.subspan(4, 4)));
  std::uint64_t size = big<std::uint32_t>(head);
  std::uint64_t header = 8;
  if (size == 1 && head.size() == 16) {
    size = big<std::uint64_t>(head, 8);
    header = 16;
  } else if (size == 0) {
    size = end - offset;
  }
  // Types are text; Apple's metadata begins with a copyright sign or counts.
  const auto odd = [](char c) { return (c < ' ' || c > '~') && c != '\xA9'; };
  const bool counted = box.type.starts_with(std::string_view("\0\0", 2));
  if (!counted && std::ranges::any_of(box.type, odd)) return std::nullopt;
  if (size < header || size > end - offset) return std::nullopt;
  box.whole = {offset, size};
  box.body = {offset + header, size - header};
  return box;
}

}  // namespace kura::detect::iso
