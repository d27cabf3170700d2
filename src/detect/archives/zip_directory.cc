#include "detect/archives/zip_directory.h"

#include <algorithm>
#include <optional>

#include "detect/codec/inflate.h"

namespace kura::detect::zip {
namespace {

constexpr std::uint32_t kCentralMagic = 0x02014b50;
constexpr std::uint32_t kEndMagic = 0x06054b50;
constexpr std::uint32_t kEnd64Magic = 0x06064b50;
constexpr std::uint32_t kLocator64Magic = 0x07064b50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kCentralSize = 46;

bool is_central(Window& in, std::uint64_t offset) { return in.little32(offset) == kCentralMagic; }

// Fills `found` from the numbers of an end record that stands at `end`; false when there is no directory where they
// say. Many archives have something before them that the offsets do not count, some that they do.
bool place(Window& in, std::uint64_t end, std::uint64_t offset, std::uint64_t size, Directory& found) {
  if (size > end) return false;
  if (size == 0) {
    found.range = {end, 0};
    return offset <= end;
  }
  const std::uint64_t close = end - size;
  if (close >= offset && is_central(in, close)) {
    found.range = {close, size};
    found.before = close - offset;
    return true;
  }
  if (offset > close || !is_central(in, offset)) return false;
  // Here the size is not the distance, so the end of the directory is where its count says.
  found.range = {offset, end - offset};
  return true;
}

// The ZIP64 end record for the end record at `end`, section 4.3.14; nothing when there is none.
std::optional<bool> place64(Window& in, std::uint64_t end, Directory& found) {
  if (end < 20 || in.little32(end - 20) != kLocator64Magic) return std::nullopt;
  std::uint64_t record = in.little64(end - 12).value_or(0);
  // Bytes before the archive move it; it then stands right before its locator.
  if (in.little32(record) != kEnd64Magic && end >= 76) record = end - 76;
  if (in.little32(record) != kEnd64Magic) return false;
  const auto bytes = in.whole(record, 56);
  if (!bytes) return false;
  found.parts = little<std::uint64_t>(*bytes, 32);
  found.mask = ~0ULL;
  const auto size = little<std::uint64_t>(*bytes, 40);
  const auto offset = little<std::uint64_t>(*bytes, 48);
  return place(in, record, offset, size, found);
}

// Whether an archive ends at `end`, where an end record's magic stands.
bool ends_at(Window& in, std::uint64_t end, Directory& found) {
  const auto record = in.whole(end, kEndSize);
  if (!record) return false;
  const auto disk = little<std::uint16_t>(*record, 4);
  found.parts = little<std::uint16_t>(*record, 10);
  const auto size = little<std::uint32_t>(*record, 12);
  const auto offset = little<std::uint32_t>(*record, 16);
  if (disk != 0 && disk != 0xFFFF) {
    found.state = Directory::State::kOtherDisk;
    return end + kEndSize + little<std::uint16_t>(*record, 20) == in.size();
  }
  const std::optional<bool> in64 = place64(in, end, found);
  if (in64 ? !*in64 : !place(in, end, offset, size, found)) return false;
  found.state = Directory::State::kFound;
  return true;
}

// The sizes that do not fit the header, section 4.5.3: each only if its field in the header is full.
void read_zip64(base::ByteSpan extra, Part& part) {
  while (extra.size() >= 4) {
    const auto id = little<std::uint16_t>(extra);
    const std::size_t length = std::min<std::size_t>(little<std::uint16_t>(extra, 2), extra.size() - 4);
    base::ByteSpan field = extra.subspan(4, length);
    extra = extra.subspan(4 + length);
    if (id != 1) continue;
    for (std::uint64_t* number : {&part.size, &part.packed, &part.local}) {
      if (*number != 0xFFFFFFFF || field.size() < 8) continue;
      *number = little<std::uint64_t>(field);
      field = field.subspan(8);
    }
  }
}

}  // namespace

Directory find_directory(Window& in) {
  // A comment of 64 KiB may follow, and as much that does not belong to the archive.
  const std::uint64_t reach = std::min<std::uint64_t>(in.size(), (128U << 10) + kEndSize);
  std::uint64_t end = in.size() - reach;
  base::Bytes tail;
  {
    const base::ByteSpan bytes = in.at(end, static_cast<std::size_t>(reach));
    tail.assign(bytes.begin(), bytes.end());
  }
  const std::string_view text = base::as_text(tail);
  for (std::size_t at = text.rfind("PK\5\6"); at != std::string_view::npos; at = text.rfind("PK\5\6", at - 1)) {
    Directory found;
    if (ends_at(in, end + at, found)) return found;
    if (at == 0) break;
  }
  return {};
}

bool read_parts(Window& in, const Directory& directory, std::uint64_t& offset, std::uint64_t before,
                std::vector<Part>& parts) {
  parts.clear();
  const std::uint64_t end = directory.range.end();
  while (offset < end && parts.size() < kBatch) {
    // Some writers count the end records as part of the directory; readers go by the count.
    if (before + parts.size() == directory.parts && !is_central(in, offset)) {
      offset = end;
      break;
    }
    const auto header = in.whole(offset, kCentralSize);
    if (!header || end - offset < kCentralSize || little<std::uint32_t>(*header) != kCentralMagic) return false;
    Part part;
    part.header = offset;
    part.flags = little<std::uint16_t>(*header, 8);
    part.method = little<std::uint16_t>(*header, 10);
    part.crc = little<std::uint32_t>(*header, 16);
    part.packed = little<std::uint32_t>(*header, 20);
    part.size = little<std::uint32_t>(*header, 24);
    part.local = little<std::uint32_t>(*header, 42);
    const auto name = little<std::uint16_t>(*header, 28);
    const auto extra = little<std::uint16_t>(*header, 30);
    const auto comment = little<std::uint16_t>(*header, 32);
    const std::uint64_t length = kCentralSize + name + extra + comment;
    if (length > end - offset) return false;
    const base::ByteSpan tail = in.at(offset + kCentralSize, std::size_t{name} + extra);
    if (tail.size() < std::size_t{name} + extra) return false;
    part.name_crc = crc32(tail.first(name));
    read_zip64(tail.subspan(name), part);
    part.local += directory.before;
    parts.push_back(part);
    offset += length;
  }
  return true;
}

std::string part_name(Window& in, const Part& part) {
  const std::uint16_t length = in.little16(part.header + 28).value_or(0);
  return std::string(base::as_text(in.at(part.header + kCentralSize, length)));
}

}  // namespace kura::detect::zip
