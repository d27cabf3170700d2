#include "detect/documents/office_records.h"

#include <algorithm>
#include <array>
#include <vector>

#include "detect/codec/inflate.h"
#include "detect/documents/cfb_storage.h"
#include "detect/documents/pictures.h"
#include "detect/grammar/noise.h"

namespace kura::detect::office {
namespace {

constexpr std::uint32_t kMostDepth = 64;

// Excel's records by number, as ranges that [MS-XLS] 2.3 and its predecessors use.
bool known_record(std::uint16_t type) { return type < 0x0900 || (type >= 0x1000 && type < 0x10D0); }

// Records that hold pictures, objects' data or hashes: they look random when they are whole.
bool opaque_record(std::uint16_t type, std::uint16_t before) {
  return type == 0x00EB || type == 0x00EC || type == 0x00ED || type == 0x007F || type == 0x00E9 || type == 0x0866 ||
         type == 0x089F || type == 0x0896 || type == 0x01AE ||
         (type == 0x003C && before != 0x00FC && before != 0x0018);  // Continue, but of SST
}

}  // namespace

Verdict check_plain(Window& stream, Range range, Budget& budget, std::uint32_t least) {
  std::uint32_t in_a_row = 0;
  for (std::uint64_t offset = range.offset; offset + kNoisePiece <= range.end(); offset += kNoisePiece) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(2 * kNoisePiece, range.end() - offset));
    if (!budget.spend(kNoisePiece)) return holds();
    const base::ByteSpan bytes = stream.at(offset, length);
    if (looks_random(bytes) || stripes_look_random(bytes, 64) || stripes_look_random(bytes, 16)) {
      if (++in_a_row >= least) return breaks(offset, "looks random where plain records belong");
    } else {
      in_a_row = 0;
    }
  }
  return holds();
}

namespace {

// Of a workbook's pictures, the pieces: a record of the drawing group and those that continue it (2.4.171).
struct Pieces {
  std::vector<Range> places;
  std::uint64_t size = 0;

  void add(Range body) {
    if (body.size > 0) places.push_back(body);
    size += body.size;
  }
};

Verdict check_pieces_of_drawing(Window& stream, const Pieces& pieces, Budget& budget) {
  cfb::StreamInput input(stream, pieces.places, pieces.size);
  Window drawing(input);
  Verdict verdict = check_records(drawing, {0, pieces.size}, budget);
  if (verdict.broken && !pieces.places.empty()) verdict.at = input.place(std::min(verdict.at, pieces.size - 1));
  return verdict;
}

}  // namespace

Verdict check_workbook(Window& stream, Budget& budget) {
  std::uint64_t offset = 0;
  std::uint16_t before = 0;
  std::uint64_t open = 0;
  bool encrypted = false;
  Pieces drawing;
  const std::uint64_t size = stream.size();
  while (offset + 4 <= size) {
    const std::uint16_t type = stream.little16(offset).value_or(0);
    const std::uint16_t length = stream.little16(offset + 2).value_or(0);
    if (!budget.spend(16)) return holds();
    // After the last substream there may be padding.
    if (open == 0 && offset > 0 && (type & 0xF8FF) != 0x0009 && (type & 0xF8FF) != 0x0809) break;
    if (!known_record(type) || length > size - offset - 4) {
      return breaks(offset, "has no record of Excel at its byte " + std::to_string(offset));
    }
    if ((type & 0x00FF) == 0x09 && type <= 0x0809) ++open;  // BOF of any version
    if (type == 0x000A && open > 0) --open;
    if (type == 0x002F) encrypted = true;  // FilePass
    if (!encrypted && length >= kNoisePiece && !opaque_record(type, before)) {
      // Drivers keep small tables of their own in what describes a printer (Pls).
      Verdict plain = check_plain(stream, {offset + 4, length}, budget, type == 0x004D ? kMostOfBlock : 1);
      if (plain.broken) return plain;
    }
    if (type == 0x00EB || (type == 0x003C && before == 0x00EB)) drawing.add({offset + 4, length});
    if (type != 0x003C) before = type;
    offset += 4ULL + length;
  }
  if (open > 0) return breaks(size, "ends early");
  if (!encrypted && !drawing.places.empty()) {
    Verdict pictures = check_pieces_of_drawing(stream, drawing, budget);
    if (pictures.broken) return pictures;
  }
  return {false, encrypted, 0, {}};
}

namespace {

// Programs put pictures of other kinds than the record's into it; all have a beginning that is known.
BrokenAt picture_breaks(Window& stream, Range data, Budget& budget) {
  // Excel shows a workbook whose icon has lost its checksum; what is smaller than a block is no evidence.
  if (stream.has(data.offset, "\x89PNG")) return data.size < 4096 ? BrokenAt() : png_breaks(stream, data, budget);
  if (stream.big16(data.offset) == 0xFFD8) return jpeg_breaks(stream, data, budget);
  const base::ByteSpan bytes = stream.at(data.offset, kNoisePiece);
  return data.size >= kNoisePiece && looks_random(bytes) && !stream.has(data.offset, "GIF8") ? BrokenAt(data.offset)
                                                                                             : BrokenAt();
}

// A picture in a drawing ([MS-ODRAW] 2.2.23): one or two checksums, a tag or a head, then the file.
BrokenAt blip_breaks(Window& stream, std::uint16_t type, std::uint16_t instance, Range body, Budget& budget) {
  const bool two = instance == 0x46B || instance == 0x6E3 || instance == 0x6E1 || instance == 0x6E5 ||
                   instance == 0x3D5 || instance == 0x217 || instance == 0x543 || instance == 0x7A9;
  const std::uint64_t sums = two ? 32 : 16;
  const bool meta = type >= 0xF01A && type <= 0xF01C;  // of these, Mac's PICT are packed by a faulty zlib
  const std::uint64_t head = sums + (meta ? 34 : 1);
  if (body.size <= head) return std::nullopt;
  const Range data{body.offset + head, body.size - head};
  if (!meta) return picture_breaks(stream, data, budget);
  if (!meta || type == 0xF01C || stream.byte(body.offset + sums + 32) != 0) return std::nullopt;  // 0: DEFLATE
  const Inflated end = inflate(stream, data, Wrapping::kZlib, budget);
  if (end.end == InflateEnd::kBroken || end.end == InflateEnd::kEndsEarly) return data.offset + end.used;
  return std::nullopt;
}

struct RecordHead {
  std::uint16_t version = 0;
  std::uint16_t instance = 0;
  std::uint16_t type = 0;
  std::uint32_t length = 0;
};

RecordHead record_head(base::ByteSpan bytes) {
  const auto first = little<std::uint16_t>(bytes, 0);
  return {static_cast<std::uint16_t>(first & 15), static_cast<std::uint16_t>(first >> 4),
          little<std::uint16_t>(bytes, 2), little<std::uint32_t>(bytes, 4)};
}

// PowerPoint's, the drawings', and those of later versions in program tags.
bool known_type(std::uint16_t type) { return type < 0x4000 || (type >= 0xF000 && type < 0xF200); }

Verdict check_atom(Window& stream, const RecordHead& head, Range body, Budget& budget) {
  BrokenAt at;
  if (head.type >= 0xF01A && head.type <= 0xF02A) {
    at = blip_breaks(stream, head.type, head.instance, body, budget);
  } else if (head.type == 0x1011 && head.instance == 1 && body.size > 4) {
    // An embedded object, compressed; of small ones, some writers leave out the end.
    const Inflated end = inflate(stream, {body.offset + 4, body.size - 4}, Wrapping::kZlib, budget);
    const bool early = end.end == InflateEnd::kEndsEarly && body.size > 4096;
    if (end.end == InflateEnd::kBroken || early) at = body.offset + end.used;
  } else if (head.type == 0x0FA0 || head.type == 0x0FA8 || head.type == 0x0FA1 || head.type == 0xF00B) {
    return check_plain(stream, body, budget);
  }
  if (at) return breaks(*at, "holds a picture or object that is damaged");
  return holds();
}

}  // namespace

Verdict check_records(Window& stream, Range range, Budget& budget) {
  std::array<std::uint64_t, kMostDepth> ends{};
  std::size_t depth = 0;
  ends[0] = range.end();
  std::uint64_t offset = range.offset;
  while (true) {
    while (depth > 0 && offset >= ends[depth]) --depth;
    const base::ByteSpan bytes = stream.at(offset, 8);
    if (bytes.size() < 8 || ends[depth] - std::min(offset, ends[depth]) < 8) {
      if (depth == 0) return holds();
      offset = ends[depth];  // bytes that a container has left
      continue;
    }
    const RecordHead head = record_head(bytes);
    if (!budget.spend(16)) return holds();
    if (depth == 0 && head.type == 0 && head.length == 0) return holds();  // padding
    const std::uint64_t left = ends[depth] - offset - 8;
    if (!known_type(head.type) || head.length > left) {
      return breaks(offset, "has no record at its byte " + std::to_string(offset));
    }
    offset += 8;
    // A zip archive in a container's clothes: what later versions leave for themselves ([MS-PPT] 2.11).
    const bool atom_like = stream.has(offset, "PK\3\4");
    if (head.version == 15 && depth + 1 < kMostDepth && !atom_like) {
      ends[++depth] = offset + head.length;
      continue;
    }
    // A store's entry (2.2.32) has its picture behind 36 bytes and its name.
    const std::uint64_t name = head.type == 0xF007 ? 36ULL + stream.byte(offset + 33).value_or(0) : 0;
    if (head.type == 0xF007 && head.length > name + 8 && depth + 1 < kMostDepth) {
      ends[++depth] = offset + head.length;
      offset += name;
      continue;
    }
    Verdict atom = check_atom(stream, head, {offset, head.length}, budget);
    if (atom.broken) return atom;
    offset += head.length;
  }
}

// Pictures one after the other ([MS-DOC] 2.9.192): a head of 68 bytes, a name, a drawing's records.
bool check_data(Window& stream, Budget& budget, Verdict& verdict) {
  std::uint64_t offset = 0;
  while (stream.size() - offset >= 68 && budget.spend(64)) {
    const std::uint64_t length = stream.little32(offset).value_or(0);
    if (stream.little16(offset + 4) != 68 || length < 68 || length > stream.size() - offset) return false;
    const std::uint16_t map = stream.little16(offset + 6).value_or(0);
    const std::uint64_t name = map == 0x66 ? 1ULL + stream.byte(offset + 68).value_or(0) : 0;
    if ((map == 0x64 || map == 0x66) && length > 68 + name) {
      verdict = check_records(stream, {offset + 68 + name, length - 68 - name}, budget);
      if (verdict.broken) return true;
    }
    offset += length;
  }
  return true;
}

Verdict check_properties(Window& stream) {
  const base::ByteSpan head = stream.at(0, 48);
  if (head.size() < 48 || little<std::uint16_t>(head) != 0xFFFE) {  // small ones of sloppy writers
    return stream.size() < 512 ? holds() : breaks(0, "is no set of properties");
  }
  const auto sets = little<std::uint32_t>(head, 24);
  if (sets == 0 || sets > 2) return breaks(24, "is no set of properties");
  const std::uint64_t set = little<std::uint32_t>(head, 44);
  const std::uint64_t size = stream.little32(set).value_or(0);
  const std::uint64_t count = stream.little32(set + 4).value_or(0);
  if (set > stream.size() || size > stream.size() - set || count > size / 8)
    return breaks(set, "has lengths that do not fit");
  return holds();
}

Verdict check_vba(Window& stream, Budget& budget) {
  if (stream.byte(0) != 1) return breaks(0, "does not begin as compressed source does");
  std::uint64_t offset = 1;
  while (offset + 2 <= stream.size() && budget.spend(16)) {
    const std::uint16_t head = stream.little16(offset).value_or(0);
    if ((head & 0x7000) != 0x3000) return breaks(offset, "has a damaged chunk of source");
    const std::uint64_t length = (head & 0x0FFFU) + 3;
    if (length > stream.size() - offset) return breaks(offset, "ends early");
    offset += length;
  }
  return holds();
}

}  // namespace kura::detect::office
