// Directories chain, and strips and tiles lie within the file. Those that are packed are unpacked and have to give the
// bytes that the sizes ask for; those that are not are stretches of pixels.
#include "detect/images/tiff.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "detect/codec/inflate.h"
#include "detect/images/jpeg.h"
#include "detect/images/lzw.h"

namespace kura::detect::tiff {
namespace {

constexpr std::size_t kMostDirectories = 1024;
constexpr std::uint64_t kMostParts = 1U << 20;

// Sizes of a value by its type; 0 for types that are none.
constexpr std::array<std::uint8_t, 19> kWidths = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};

struct Field {
  unsigned width = 0;
  std::uint64_t count = 0;
  std::uint64_t where = 0;
};

struct Directory {
  Field offsets;
  Field counts;
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  std::uint64_t compression = 1;
  std::uint64_t bits = 1;
  std::uint64_t samples = 1;
  std::uint64_t rows = 0;  // of a strip
  std::uint64_t tile_width = 0;
  std::uint64_t tile_height = 0;
  std::uint64_t planar = 1;
  std::uint64_t photometric = 0;
  std::uint64_t subfiles = 0;
  std::uint64_t next = 0;
};

class Reader {
 public:
  Reader(Window& in, Budget& budget) : in_(&in), budget_(&budget), big_(in.has(0, "M")) { wide_ = number(2, 2) == 43; }
  Report read();

 private:
  std::uint64_t number(std::uint64_t at, unsigned width);
  std::uint64_t value(const Field& field, std::uint64_t index = 0) {
    return number(field.where + index * field.width, field.width);
  }
  const char* directory(std::uint64_t at, Directory& directory);
  const char* field(std::uint64_t at, Directory& directory);
  void keep(std::uint64_t tag, const Field& field, Directory& directory);
  const char* parts(const Directory& directory);
  const char* part(const Directory& directory, Range range, std::uint64_t bytes);
  void tell(Range range, Density density);
  const char* lzw(Range range, std::uint64_t bytes);
  const char* pack_bits(Range range, std::uint64_t bytes);

  Window* in_;
  Budget* budget_;
  bool big_;
  bool wide_ = false;
  std::uint64_t at_ = 0;
  std::vector<std::uint64_t> to_read_;
  std::vector<Stretch> stretches_;  // in the order of the directories
};

std::uint64_t Reader::number(std::uint64_t at, unsigned width) {
  const base::ByteSpan bytes = in_->at(at, width);
  if (bytes.size() < width) return 0;
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i) value = value << 8U | bytes[big_ ? i : width - 1 - i];
  return value;
}

void Reader::keep(std::uint64_t tag, const Field& field, Directory& directory) {
  switch (tag) {
    case 256:
      directory.width = value(field);
      break;
    case 257:
      directory.height = value(field);
      break;
    case 258:
      directory.bits = value(field);
      break;
    case 259:
      directory.compression = value(field);
      break;
    case 262:
      directory.photometric = value(field);
      break;
    case 273:
    case 324:
      directory.offsets = field;
      break;
    case 277:
      directory.samples = value(field);
      break;
    case 278:
      directory.rows = value(field);
      break;
    case 279:
    case 325:
      directory.counts = field;
      break;
    case 284:
      directory.planar = value(field);
      break;
    case 322:
      directory.tile_width = value(field);
      break;
    case 323:
      directory.tile_height = value(field);
      break;
    case 330:
      for (std::uint64_t i = 0; i < std::min<std::uint64_t>(field.count, 64); ++i) to_read_.push_back(value(field, i));
      break;
    case 34665:
      to_read_.push_back(value(field));
      break;
    default:
      break;
  }
}

const char* Reader::field(std::uint64_t at, Directory& directory) {
  const std::uint64_t tag = number(at, 2);
  const std::uint64_t type = number(at + 2, 2);
  if (type == 0 || type >= kWidths.size() || kWidths[type] == 0)
    return type > 255 ? "a field of a type that is none" : nullptr;
  Field field;
  field.width = kWidths[type];
  field.count = number(at + 4, wide_ ? 8 : 4);
  const unsigned inside = wide_ ? 8 : 4;
  field.where = at + (wide_ ? 12 : 8);
  if (field.count > inside / field.width) field.where = number(field.where, inside);
  if (field.where > in_->size() || field.count > (in_->size() - field.where) / field.width)
    return "a field that lies beyond the end of the file";
  if (field.count * field.width >= 4096 && tag != 273 && tag != 279 && tag != 324 && tag != 325) {
    tell({field.where, field.count * field.width}, Density::kDense);
  }
  if (field.count > 0) keep(tag, field, directory);
  return nullptr;
}

const char* Reader::directory(std::uint64_t at, Directory& directory) {
  const std::uint64_t count = number(at, wide_ ? 8 : 2);
  const std::uint64_t width = wide_ ? 20 : 12;
  const std::uint64_t first = at + (wide_ ? 8 : 2);
  if (count == 0 || count > 4096) return "a directory with an impossible number of fields";
  if (first > in_->size() || count * width > in_->size() - first)
    return "a directory that lies beyond the end of the file";
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!budget_->spend(64)) return nullptr;
    if (const char* wrong = field(first + i * width, directory)) return wrong;
  }
  directory.next = number(first + count * width, wide_ ? 8 : 4);
  return nullptr;
}

void Reader::tell(Range range, Density density) {
  constexpr std::size_t kMostTold = 65536;
  if (!stretches_.empty() && stretches_.back().density == density && stretches_.back().range.end() == range.offset) {
    stretches_.back().range.size += range.size;
  } else if (stretches_.size() < kMostTold) {
    stretches_.push_back({range, density, density == Density::kPlain ? kBytesOfSamples : Samples{}});
  }
}

const char* Reader::lzw(Range range, std::uint64_t bytes) {
  // Writers before 1992 began with the low bits: a clear code of 0x00 0x01.
  const bool old = in_->little16(range.offset).value_or(0) == 0x0100;
  if (old) return nullptr;
  lzw::Codes codes(lzw::Order::kHighFirst, 8);
  for (std::uint64_t done = 0; done < range.size && !codes.ended();) {
    const base::ByteSpan view =
        in_->at(range.offset + done, static_cast<std::size_t>(std::min<std::uint64_t>(65536, range.size - done)));
    if (view.empty() || !budget_->spend(4 * view.size())) return nullptr;
    if (!codes.follow(view)) return "pixels whose codes stand for nothing";
    done += view.size();
    if (bytes != 0 && codes.made() > bytes + 4096) return "pixels that go on after their end";
  }
  return codes.made() < bytes ? "pixels that end early" : nullptr;
}

const char* Reader::pack_bits(Range range, std::uint64_t bytes) {
  std::uint64_t made = 0;
  std::uint64_t at = range.offset;
  while (at < range.end() && made < bytes) {
    if (!budget_->spend(2)) return nullptr;
    const std::uint8_t code = in_->byte(at).value_or(0x80);
    made += code < 0x80 ? code + 1U : code == 0x80 ? 0U : 257U - code;
    at += code < 0x80 ? code + 2U : code == 0x80 ? 1U : 2U;
  }
  if (bytes == 0) return nullptr;
  if (made < bytes) return "pixels that end early";
  return at + 16 < range.end() || made > bytes + 128 ? "pixels that go on after their end" : nullptr;
}

const char* Reader::part(const Directory& directory, Range range, std::uint64_t bytes) {
  switch (directory.compression) {
    case 1:
      tell(range, directory.photometric == 32803 ? Density::kDense : Density::kPlain);
      return nullptr;
    case 5:
      return lzw(range, bytes);
    case 7: {
      if (directory.photometric == 32803 || directory.photometric == 34892) break;  // lossless, of raw pictures
      if (!in_->has(range.offset, "\xFF\xD8")) return "a JPEG picture without its beginning";
      const Report report = jpeg::check_within(*in_, range, *budget_);
      const bool broken = report.finding == Finding::kBroken;
      return broken ? "a JPEG picture within it is broken" : nullptr;
    }
    case 8:
    case 32946: {
      const Inflated unpacked = inflate(*in_, range, Wrapping::kZlib, *budget_);
      const bool good = unpacked.end == InflateEnd::kDone || unpacked.end == InflateEnd::kOverBudget;
      return good && (unpacked.made >= bytes || budget_->spent_out()) ? nullptr : "pixels that do not unpack";
    }
    case 32773:
      return pack_bits(range, bytes);
    default:
      break;
  }
  tell(range, Density::kDense);
  return nullptr;
}

// How many bytes strips and tiles unpack to; the last strip has fewer, and so do those of subsampled colours.
const char* Reader::parts(const Directory& directory) {
  const std::uint64_t count = directory.offsets.count;
  if (count != directory.counts.count && directory.counts.count != 0)
    return "as many sizes of strips as strips are wanted";
  if (count > kMostParts || directory.counts.count == 0) return nullptr;
  const bool tiles = directory.tile_width != 0;
  const std::uint64_t rows = std::min(directory.rows == 0 ? directory.height : directory.rows, directory.height);
  const std::uint64_t depth = std::min<std::uint64_t>(directory.bits, 64) *
                              (directory.planar == 2 ? 1 : std::min<std::uint64_t>(directory.samples, 64));
  const std::uint64_t across = std::min<std::uint64_t>(tiles ? directory.tile_width : directory.width, 1U << 30);
  // Subsampled colours have fewer bytes than that: not counted.
  const std::uint64_t row = directory.photometric == 6 ? 0 : (across * depth + 7) / 8;
  const std::uint64_t bytes = row * std::min<std::uint64_t>(tiles ? directory.tile_height : rows, 1U << 24);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!budget_->spend(32)) return nullptr;
    const Range range{value(directory.offsets, i), value(directory.counts, i)};
    at_ = range.offset;
    if (range.offset > in_->size() || range.size > in_->size() - range.offset)
      return "pixels that lie beyond the end of the file";
    if (range.size == 0) continue;
    const std::uint64_t a_plane = rows == 0 ? 1 : (directory.height + rows - 1) / rows;
    const bool last = !tiles && (i + 1) % a_plane == 0;
    const std::uint64_t wanted = last ? row * (directory.height - (a_plane - 1) * rows) : bytes;
    if (const char* wrong = part(directory, range, wanted)) return wrong;
  }
  return nullptr;
}

Report Reader::read() {
  std::set<std::uint64_t> seen;
  to_read_.push_back(number(wide_ ? 8 : 4, wide_ ? 8 : 4));
  while (!to_read_.empty() && seen.size() < kMostDirectories) {
    const std::uint64_t at = to_read_.back();
    to_read_.pop_back();
    if (at == 0 || !seen.insert(at).second) continue;
    Directory each;
    at_ = at;
    const char* wrong = directory(at, each);
    if (wrong == nullptr) wrong = parts(each);
    if (budget_->spent_out()) return over_budget();
    if (wrong != nullptr) return broken(at_, std::string("a part of the picture: ") + wrong);
    if (each.next != 0) to_read_.push_back(each.next);
    if (to_read_.size() > kMostDirectories) return undecided("it has too many directories to be judged whole");
  }
  std::ranges::sort(stretches_, {}, [](const Stretch& stretch) { return stretch.range.offset; });
  std::vector<Stretch> ordered;
  for (const Stretch& stretch : stretches_) {
    if (ordered.empty() || ordered.back().range.end() <= stretch.range.offset) add_stretch(ordered, stretch);
  }
  return whole(std::move(ordered));
}

}  // namespace

bool recognise(Window& in) {
  const base::ByteSpan head = in.at(0, 8);
  if (head.size() < 8) return false;
  const std::string_view text = base::as_text(head.first(4));
  if (text == std::string_view("II*\0", 4) || text == std::string_view("MM\0*", 4)) return true;
  return in.has(0, std::string_view("II+\0\x08\0\0\0", 8)) || in.has(0, std::string_view("MM\0+\0\x08\0\0", 8));
}

Report check(Window& in, Budget& budget) { return Reader(in, budget).read(); }

}  // namespace kura::detect::tiff
