#include "detect/documents/pictures.h"

#include <algorithm>
#include <cstring>

#include "detect/codec/inflate.h"
#include "detect/grammar/noise.h"

namespace kura::detect {
namespace pictures {
namespace {

constexpr std::size_t kView = 64U << 10;

base::ByteSpan view(Window& in, std::uint64_t offset, std::uint64_t end) {
  if (offset >= end) return {};
  return in.at(offset, static_cast<std::size_t>(std::min<std::uint64_t>(end - offset, kView)));
}

// The next 0xFF byte that is followed by a byte for which `stuffed` is false; `end` when there is none. Pays.
template <typename Stuffed>
std::uint64_t next_marker(Window& in, std::uint64_t offset, std::uint64_t end, Budget& budget, const Stuffed& stuffed) {
  while (offset + 1 < end) {
    const base::ByteSpan bytes = view(in, offset, end);
    if (bytes.size() < 2) return end;
    std::size_t from = 0;
    while (from + 1 < bytes.size()) {
      const void* found = std::memchr(bytes.data() + from, 0xFF, bytes.size() - 1 - from);
      if (found == nullptr) break;
      from = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
      if (!stuffed(bytes[from + 1])) return budget.spend(from + 1) ? offset + from : end;
      ++from;
    }
    if (!budget.spend(bytes.size())) return end;
    offset += bytes.size() - 1;
  }
  return end;
}

bool is_restart(std::uint8_t marker) { return marker >= 0xD0 && marker <= 0xD7; }

// SOF, DHT, DAC, EOI, SOS, DQT, DNL, DRI, DHP, EXP, APPn, COM and JPEG-LS's and extensions' are known; SOI is for
// thumbnails only, RSTn only stands in scans, 02 to BF are reserved.
bool known(std::uint8_t marker) { return marker >= 0xC0 && !is_restart(marker); }

// Some bytes behind the end mark are usual, another picture too; an end mark that damage made has codes behind it.
bool noise_follows(Window& in, std::uint64_t offset, std::uint64_t end) {
  return end - offset >= kNoisePiece && in.big16(offset) != 0xFFD8 && looks_random(in.at(offset, kNoisePiece));
}

// The counts of a DHT segment's tables must fill it (B.2.4.2).
bool huffman_tables_fill(base::ByteSpan body) {
  while (body.size() >= 17) {
    if ((body[0] & 0xEC) != 0) return false;
    std::size_t values = 0;
    for (std::size_t i = 1; i <= 16; ++i) values += body[i];
    if (values > 256 || values > body.size() - 17) return false;
    body = body.subspan(17 + values);
  }
  return body.size() < 17;
}

// Packets' bytes never have FF followed by more than 8F, but for SOP, with its number, and EPH (A.8, B.10.1).
std::uint64_t packets_break(Window& in, std::uint64_t offset, std::uint64_t end, Budget& budget) {
  while (true) {
    offset = next_marker(in, offset, end, budget, [](std::uint8_t c) { return c <= 0x8F || c == 0x92; });
    if (offset >= end || in.big32(offset) != 0xFF910004) return std::min(offset, end);
    offset += 6;
  }
}

}  // namespace
}  // namespace pictures

BrokenAt jpeg_breaks(Window& in, Range range, Budget& budget) {
  using namespace pictures;
  std::uint64_t offset = range.offset;
  const std::uint64_t end = range.end();
  if (in.big16(offset) != 0xFFD8) return offset;
  offset += 2;
  bool scans = false;
  while (offset + 4 <= end && budget.spend(16)) {
    const base::ByteSpan head = in.at(offset, 4);
    if (head.size() < 4) return offset;
    if (head[0] != 0xFF) return offset;
    if (head[1] == 0xFF) {
      ++offset;
      continue;
    }
    if (head[1] == 0xD9) return noise_follows(in, offset + 2, end) ? BrokenAt(offset) : BrokenAt();
    if (!known(head[1])) return offset;
    const std::uint64_t length = big<std::uint16_t>(head, 2);
    if (length < 2 || length > end - offset - 2) return offset;
    if (head[1] == 0xC4 && !huffman_tables_fill(in.at(offset + 4, static_cast<std::size_t>(length - 2)))) return offset;
    const bool scan = head[1] == 0xDA;
    offset += 2 + length;
    if (!scan) continue;
    scans = true;
    offset = next_marker(in, offset, end, budget, [](std::uint8_t c) { return c == 0 || c == 0xFF || is_restart(c); });
  }
  if (budget.spent_out() || scans) return std::nullopt;
  return offset;
}

BrokenAt jpeg2000_breaks(Window& in, Range range, Budget& budget) {
  using namespace pictures;
  std::uint64_t offset = range.offset;
  std::uint64_t end = range.end();
  // Boxes before the codestream (I.4); a raw codestream begins with SOC.
  while (in.big32(offset) != 0xFF4FFF51 && budget.spend(16)) {
    std::uint64_t length = in.big32(offset).value_or(0);
    const std::uint32_t type = in.big32(offset + 4).value_or(0);
    std::uint64_t head = 8;
    if (length == 1) {
      length = in.big64(offset + 8).value_or(0);
      head = 16;
    }
    if (length == 0) length = end - offset;
    if (length < head || length > end - offset) return offset;
    const bool codestream = type == 0x6A703263;  // "jp2c"
    if (codestream) end = offset + length;
    offset += codestream ? head : length;
    if (offset >= end) return offset;
  }
  offset = next_marker(in, offset + 4, end, budget, [](std::uint8_t c) { return c != 0x90; });  // the first SOT
  while (offset + 12 <= end && budget.spend(64)) {
    if (in.big16(offset) == 0xFFD9) return std::nullopt;
    if (in.big32(offset) != 0xFF90000A) return offset;
    const std::uint64_t part = in.big32(offset + 6).value_or(0);
    const std::uint64_t next = part == 0 ? end : offset + part;
    if ((part != 0 && part < 14) || next > end) return offset;
    const std::uint64_t data = next_marker(in, offset + 12, next, budget, [](std::uint8_t c) { return c != 0x93; });
    const std::uint64_t at = packets_break(in, data + 2, next, budget);
    if (at < next && in.big16(at) != 0xFFD9) return at;
    offset = next;
  }
  return std::nullopt;
}

BrokenAt png_breaks(Window& in, Range range, Budget& budget) {
  std::uint64_t offset = range.offset;
  const std::uint64_t end = range.end();
  if (!in.has(offset, "\x89PNG\r\n\x1a\n")) return offset;
  offset += 8;
  while (end - offset >= 12 && budget.spend(64)) {
    const std::uint64_t length = in.big32(offset).value_or(0);
    const std::uint32_t type = in.big32(offset + 4).value_or(0);
    if (length > end - offset - 12) return offset;
    const std::uint32_t sum = crc32(in, {offset + 4, length + 4}, budget);
    if (budget.spent_out()) return std::nullopt;
    if (sum != in.big32(offset + 8 + length)) return offset;
    if (type == 0x49454E44) return std::nullopt;  // "IEND"
    offset += 12 + length;
  }
  return budget.spent_out() ? BrokenAt() : BrokenAt(offset);
}

}  // namespace kura::detect
