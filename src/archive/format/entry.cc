#include "archive/format/entry.h"

#include <limits>

#include "archive/format/fields.h"
#include "archive/format/limits.h"
#include "archive/format/object_head.h"

namespace kura::archive {
namespace {

constexpr std::string_view kTheListing = "a folder's listing";
constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::uint64_t kModeMask = 07777;

enum Field : std::uint64_t {
  kSize = 1,
  kContent,
  kTarget,
  kDevice,
  kUser,
  kGroup,
  kHardLink,
  kXattrs,
  kExtents,
  kJudged
};
constexpr unsigned kForAll = 1U << kUser | 1U << kGroup | 1U << kXattrs;

struct FieldsOfType {
  unsigned required = 0;  // bit k: field k
  unsigned allowed = 0;
};

FieldsOfType fields_of(EntryType type) {
  constexpr unsigned kOthers = kForAll | 1U << kHardLink;
  switch (type) {
    case EntryType::kFile:
      return {.required = 1U << kSize | 1U << kContent, .allowed = kOthers | 1U << kExtents | 1U << kJudged};
    case EntryType::kFolder:
      return {.required = 1U << kContent, .allowed = kForAll};
    case EntryType::kSymlink:
      return {.required = 1U << kTarget, .allowed = kOthers};
    case EntryType::kCharDevice:
    case EntryType::kBlockDevice:
      return {.required = 1U << kDevice, .allowed = kOthers};
    case EntryType::kFifo:
    case EntryType::kSocket:
      return {.required = 0, .allowed = kOthers};
  }
  std::unreachable();
}

EntryType decode_type(base::Decoder& in) {
  const std::uint8_t value = in.u8();
  if (value >= 1 && value <= 7) return static_cast<EntryType>(value);
  in.fail("the type of an entry is none that is known");
  return EntryType::kFile;
}

// A varint of at most `most`.
std::uint32_t decode_bounded(base::Decoder& in, std::uint64_t most) {
  const std::uint64_t value = in.varint();
  if (value > most) in.fail("a number of an entry is too large");
  return in.ok() ? static_cast<std::uint32_t>(value) : 0;
}

std::uint32_t decode_u32(base::Decoder& in) { return decode_bounded(in, std::numeric_limits<std::uint32_t>::max()); }

std::string take_rest(base::Decoder& in) { return std::string(base::as_text(in.raw(in.rest().size()))); }

// Text that the system takes as a C string: with a zero byte in it, it would mean something else.
void check_c_string(base::Decoder& in, std::string_view text) {
  if (text.empty() || text.contains('\0')) in.fail("a link's target or an attribute's name cannot exist");
}

std::string decode_target(base::Decoder& in) {
  std::string target = take_rest(in);
  check_c_string(in, target);
  return target;
}

std::vector<std::pair<std::string, std::string>> decode_xattrs(base::Decoder& in) {
  std::vector<std::pair<std::string, std::string>> xattrs;
  while (in.ok() && !in.at_end()) {
    std::string name = in.text(in.rest().size());
    std::string value = in.text(in.rest().size());
    check_c_string(in, name);
    xattrs.emplace_back(std::move(name), std::move(value));
  }
  return xattrs;
}

std::vector<Extent> decode_extents(base::Decoder& in) {
  std::vector<Extent> extents;
  while (in.ok() && !in.at_end()) {
    const std::uint64_t gap = in.varint();
    const std::uint64_t size = in.varint();
    if (in.ok() && size == 0) in.fail("an extent is empty");
    extents.push_back({.gap = gap, .size = size});
  }
  return extents;
}

bool extents_fit(const std::vector<Extent>& extents, std::uint64_t file_size) {
  std::uint64_t left = file_size;
  for (const Extent& extent : extents) {
    if (extent.gap > left || extent.size > left - extent.gap) return false;
    left -= extent.gap + extent.size;
  }
  return true;
}

bool take_field(Entry& entry, std::uint64_t number, base::Decoder& in) {
  switch (number) {
    case kSize:
      entry.size = in.varint();
      return true;
    case kContent:
      entry.content = ContentRef::decode(in);
      return true;
    case kTarget:
      entry.target = decode_target(in);
      return true;
    case kDevice:
      entry.device_major = decode_u32(in);
      entry.device_minor = decode_u32(in);
      return true;
    case kUser:
      entry.user = take_rest(in);
      return true;
    case kGroup:
      entry.group = take_rest(in);
      return true;
    case kHardLink: {
      const std::uint64_t device = in.varint();
      entry.hard_link.emplace(device, in.varint());
      return true;
    }
    case kXattrs:
      entry.xattrs = decode_xattrs(in);
      return true;
    case kExtents:
      entry.extents = decode_extents(in);
      return true;
    case kJudged:
      entry.judged = Judged::decode(in);
      return true;
    default:
      return false;
  }
}

void decode_entry_fields(base::Decoder& in, Entry& entry) {
  unsigned seen = 0;
  decode_fields(in, [&](std::uint64_t number, base::Decoder& field) {
    const bool known = take_field(entry, number, field);
    if (known) seen |= 1U << number;
    return known;
  });
  const FieldsOfType fields = fields_of(entry.type);
  if ((seen & fields.required) != fields.required) in.fail("an entry lacks a field that its type has");
  if ((seen & ~(fields.required | fields.allowed)) != 0) in.fail("an entry has a field that its type does not have");
  if (entry.extents && !extents_fit(*entry.extents, entry.size)) in.fail("extents reach past the end of their file");
}

Entry decode_entry(base::Decoder& in) {
  Entry entry;
  entry.type = decode_type(in);
  entry.name = in.text(kNameLimit);
  if (!is_safe_name(entry.name)) in.fail("a name is not allowed");
  entry.mode = decode_bounded(in, kModeMask);
  entry.uid = decode_u32(in);
  entry.gid = decode_u32(in);
  entry.mtime_seconds = in.zigzag();
  entry.mtime_nanoseconds = decode_bounded(in, kNanosecondsPerSecond - 1);
  decode_entry_fields(in, entry);
  return entry;
}

void encode_lists(base::Encoder& out, const Entry& entry) {
  base::Encoder field;
  if (entry.hard_link) {
    field.varint(entry.hard_link->first).varint(entry.hard_link->second);
    encode_field(out, kHardLink, field.bytes());
  }
  if (!entry.xattrs.empty()) {
    field.clear();
    for (const auto& [name, value] : entry.xattrs) field.string(name).string(value);
    encode_field(out, kXattrs, field.bytes());
  }
  if (entry.extents) {
    field.clear();
    for (const Extent& extent : *entry.extents) field.varint(extent.gap).varint(extent.size);
    encode_field(out, kExtents, field.bytes());
  }
  if (entry.judged) {
    field.clear();
    entry.judged->encode(field);
    encode_field(out, kJudged, field.bytes());
  }
}

void encode_entry_fields(base::Encoder& out, const Entry& entry) {
  const unsigned has = fields_of(entry.type).required;
  if ((has >> kSize & 1) != 0) encode_field(out, kSize, base::Encoder().varint(entry.size).bytes());
  if ((has >> kContent & 1) != 0) {
    base::Encoder content;
    entry.content.encode(content);
    encode_field(out, kContent, content.bytes());
  }
  if ((has >> kTarget & 1) != 0) encode_field(out, kTarget, base::as_bytes(entry.target));
  if ((has >> kDevice & 1) != 0) {
    encode_field(out, kDevice, base::Encoder().varint(entry.device_major).varint(entry.device_minor).bytes());
  }
  if (!entry.user.empty()) encode_field(out, kUser, base::as_bytes(entry.user));
  if (!entry.group.empty()) encode_field(out, kGroup, base::as_bytes(entry.group));
  encode_lists(out, entry);
}

// nullopt when the varint at the front is not all there.
std::optional<base::Decoder> front_prefix(base::ByteSpan listing, std::uint64_t& size) {
  constexpr std::size_t kLongestVarint = 10;
  base::Decoder in(listing.first(std::min(listing.size(), kLongestVarint)));
  bool complete = listing.size() >= kLongestVarint;
  for (const std::uint8_t byte : in.rest()) complete = complete || byte < 0x80;
  if (!complete) return std::nullopt;
  size = in.varint();
  if (size > kEntryLimit) in.fail("an entry is larger than allowed");
  return in;
}

}  // namespace

mode_t type_bits(EntryType type) {
  switch (type) {
    case EntryType::kFile:
      return S_IFREG;
    case EntryType::kFolder:
      return S_IFDIR;
    case EntryType::kSymlink:
      return S_IFLNK;
    case EntryType::kFifo:
      return S_IFIFO;
    case EntryType::kCharDevice:
      return S_IFCHR;
    case EntryType::kBlockDevice:
      return S_IFBLK;
    case EntryType::kSocket:
      return S_IFSOCK;
  }
  return 0;
}

EntryType entry_type(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return EntryType::kFolder;
    case S_IFLNK:
      return EntryType::kSymlink;
    case S_IFIFO:
      return EntryType::kFifo;
    case S_IFCHR:
      return EntryType::kCharDevice;
    case S_IFBLK:
      return EntryType::kBlockDevice;
    case S_IFSOCK:
      return EntryType::kSocket;
    default:
      return EntryType::kFile;
  }
}

std::uint64_t data_size(const Entry& file) {
  if (!file.extents) return file.size;
  std::uint64_t data = 0;  // within the file's size, or the entry would not have been decoded
  for (const Extent& extent : *file.extents) data += extent.size;
  return data;
}

bool is_safe_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameLimit && name != "." && name != ".." && !name.contains('/') &&
         !name.contains('\0');
}

void Entry::encode(base::Encoder& out) const {
  base::Encoder rest;
  rest.u8(static_cast<std::uint8_t>(type)).string(name).varint(mode).varint(uid).varint(gid);
  rest.zigzag(mtime_seconds).varint(mtime_nanoseconds);
  encode_entry_fields(rest, *this);
  out.string(rest.bytes());
}

base::Result<std::optional<std::size_t>> Entry::front_size(base::ByteSpan listing) {
  std::uint64_t size = 0;
  const auto prefix = front_prefix(listing, size);
  if (!prefix) return std::nullopt;
  if (!prefix->ok()) return std::unexpected(prefix->finish(kTheListing).error());
  const std::size_t whole = prefix->position() + static_cast<std::size_t>(size);
  if (listing.size() < whole) return std::nullopt;
  return whole;
}

base::Result<Entry> Entry::decode_front(base::ByteSpan& listing) {
  const std::optional<std::size_t> size = KURA_TRY(front_size(listing));
  if (!size) return damaged(kTheListing, "it ends within an entry");
  base::Decoder front(listing.first(*size));
  base::Decoder in(front.string(kEntryLimit));
  Entry entry = decode_entry(in);
  KURA_TRY(in.finish(kTheListing));
  listing = listing.subspan(*size);
  return entry;
}

}  // namespace kura::archive
