// Small pieces with known beginnings: of 4 KiB of random bytes a piece's beginning is hit. Their insides are not
// proven.
#include "detect/media/streams.h"

#include <algorithm>
#include <array>
#include <span>

namespace kura::detect::streams {
namespace {

constexpr std::size_t kPiece = 192 * 1024;

// The size of a packet with what stands before it (Blu-ray's time stamps), and where its sync byte is.
struct Packets {
  std::uint64_t size = 0;
  std::uint64_t sync = 0;
};

Packets packets_of(Window& in) {
  for (const Packets each : {Packets{188, 0}, {192, 4}, {204, 0}}) {
    bool all = in.size() >= 4 * each.size;
    for (std::uint64_t i = 0; all && i < 4; ++i) all = in.byte(i * each.size + each.sync) == 0x47;
    if (all) return each;
  }
  return {};
}

// Program streams: the length of the piece with this start code, 0 when it is none.
std::uint64_t piece(Window& in, std::uint64_t at) {
  const base::ByteSpan head = in.at(at, 14);
  if (head.size() < 4 || head[0] != 0 || head[1] != 0 || head[2] != 1) return 0;
  if (head[3] == 0xB9) return 4;
  if (head[3] == 0xBA) {
    if (head.size() < 14) return 0;
    return (head[4] & 0xC0U) == 0x40 ? 14 + (head[13] & 7U) : (head[4] & 0xF0U) == 0x20 ? 12 : 0;
  }
  return head[3] >= 0xBB && head.size() >= 6 ? 6 + big<std::uint16_t>(head, 4) : 0;
}

constexpr std::array<char, 16> kHeaderGuid = {'\x30', '\x26', '\xB2', '\x75', '\x8E', '\x66', '\xCF', '\x11',
                                              '\xA6', '\xD9', '\x00', '\xAA', '\x00', '\x62', '\xCE', '\x6C'};
constexpr std::array<char, 16> kDataGuid = {'\x36', '\x26', '\xB2', '\x75', '\x8E', '\x66', '\xCF', '\x11',
                                            '\xA6', '\xD9', '\x00', '\xAA', '\x00', '\x62', '\xCE', '\x6C'};
constexpr std::array<char, 8> kFileGuid = {'\xA1', '\xDC', '\xAB', '\x8C', '\x47', '\xA9', '\xCF', '\x11'};

std::string_view text(std::span<const char> guid) { return {guid.data(), guid.size()}; }

// The packets of an ASF data object: each of one size, beginning with error correction data as all do.
const char* asf_packets(Window& in, Range range, std::uint64_t size, Budget& budget, std::uint64_t& at) {
  const std::uint8_t first = in.byte(range.offset).value_or(0);
  for (at = range.offset; size >= 16 && range.end() - at >= size; at += size) {
    if (!budget.spend(64)) return nullptr;
    const base::ByteSpan head = in.at(at, 3);
    if (head.size() < 3 || head[0] != first) return "there is no packet where one has to be";
    if (first == 0x82 && (head[1] & 0xF0U) != 0) return "there is no packet where one has to be";
  }
  return nullptr;
}

// A variable-length quantity of MIDI.
std::uint64_t quantity(Window& in, std::uint64_t& at) {
  std::uint64_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint8_t byte = in.byte(at++).value_or(0);
    value = value << 7U | (byte & 0x7FU);
    if (byte < 0x80) break;
  }
  return value;
}

const char* midi_track(Window& in, Range range, Budget& budget) {
  std::uint64_t at = range.offset;
  std::uint8_t status = 0;
  while (at < range.end()) {
    if (!budget.spend(8)) return nullptr;
    quantity(in, at);
    const std::uint8_t byte = in.byte(at).value_or(0);
    if (byte >= 0x80) {
      status = byte;
      ++at;
    }
    if (status == 0xFF || status == 0xF0 || status == 0xF7) {
      const bool meta = status == 0xFF;
      const std::uint8_t type = meta ? in.byte(at++).value_or(0) : 0;
      const std::uint64_t size = quantity(in, at);
      if (at > range.end() || size > range.end() - at) return "an event goes beyond its track";
      at += size;
      if (meta && type == 0x2F) return nullptr;
      continue;
    }
    if (status < 0x80 || status > 0xEF) return "an event that is none";
    const unsigned data = (status & 0xE0U) == 0xC0 ? 1 : 2;
    for (unsigned i = 0; i < data; ++i) {
      if (in.byte(at++).value_or(0) >= 0x80) return "an event that is none";
    }
  }
  return at > range.end() ? "an event goes beyond its track" : nullptr;
}

}  // namespace

bool recognise_transport(Window& in) { return packets_of(in).size != 0; }

Report check_transport(Window& in, Budget& budget) {
  const Packets packets = packets_of(in);
  const std::size_t at_once = kPiece / static_cast<std::size_t>(packets.size) * static_cast<std::size_t>(packets.size);
  for (std::uint64_t at = 0; at < in.size();) {
    const base::ByteSpan bytes = in.at(at, at_once);
    if (bytes.empty() || !budget.spend(bytes.size() / 8 + 1)) return over_budget();
    for (std::size_t i = static_cast<std::size_t>(packets.sync); i < bytes.size();
         i += static_cast<std::size_t>(packets.size)) {
      if (bytes[i] != 0x47) return broken(at + i, "a packet without its sync byte");
    }
    at += bytes.size();
  }
  return whole({{{0, in.size()}, Density::kDense}});
}

bool recognise_program(Window& in) {
  if (in.big32(0) != 0x000001BAU) return false;
  const std::uint64_t length = piece(in, 0);
  return length != 0 && in.big16(length) == 0 && in.byte(length + 2) == 1;
}

Report check_program(Window& in, Budget& budget) {
  for (std::uint64_t at = 0; at < in.size();) {
    if (!budget.spend(32)) return over_budget();
    const std::uint64_t length = piece(in, at);
    if (length == 0) {
      const base::ByteSpan rest = in.at(at, 4096);
      const auto zeros =
          static_cast<std::uint64_t>(std::ranges::find_if(rest, [](std::uint8_t c) { return c != 0; }) - rest.begin());
      if (rest.size() < 6 || (zeros == rest.size() && rest.size() < 4096)) break;
      if (zeros < 3 || zeros == rest.size()) return broken(at, "there is no start code where one has to be");
      at += zeros - 2;
      if (piece(in, at) == 0) return broken(at, "there is no start code where one has to be");
      continue;
    }
    if (length > in.size() - at) return broken(in.size(), "the file ends early, within a packet");
    at += length;
  }
  return whole({{{0, in.size()}, Density::kDense}});
}

bool recognise_asf(Window& in) { return in.has(0, text(kHeaderGuid)); }

Report check_asf(Window& in, Budget& budget) {
  std::uint64_t packet = 0;
  std::vector<Stretch> stretches;
  for (std::uint64_t at = 0; at < in.size();) {
    const auto size = in.little64(at + 16);
    if (!size || !budget.spend(64)) break;
    if (*size < 24) return broken(at, "an object of an impossible size");
    if (*size > in.size() - at) return broken(at, "the file ends early, or an object has an impossible size");
    if (in.has(at, text(kHeaderGuid))) {
      for (std::uint64_t inner = at + 30; inner < at + *size && budget.spend(32);) {
        const std::uint64_t length = in.little64(inner + 16).value_or(0);
        if (length < 24 || length > at + *size - inner)
          return broken(inner, "an object of the header has an impossible size");
        if (in.has(inner, text(kFileGuid))) packet = in.little32(inner + 92).value_or(0);
        inner += length;
      }
    }
    if (in.has(at, text(kDataGuid)) && *size > 50) {
      std::uint64_t where = 0;
      const char* wrong = asf_packets(in, {at + 50, *size - 50}, packet, budget, where);
      if (wrong != nullptr) return broken(where, wrong);
      add_stretch(stretches, {{at + 50, *size - 50}, Density::kDense});
    }
    at += *size;
  }
  return budget.spent_out() ? over_budget() : whole(std::move(stretches));
}

bool recognise_flv(Window& in) { return in.has(0, "FLV\x01") && in.big32(5) == 9U && in.big32(9) == 0U; }

Report check_flv(Window& in, Budget& budget) {
  for (std::uint64_t at = 13; at < in.size();) {
    if (!budget.spend(32)) return over_budget();
    const base::ByteSpan head = in.at(at, 11);
    if (head.size() < 11) return broken(in.size(), "the file ends early, within a tag");
    const std::uint64_t size = big<std::uint32_t>(head) & 0xFFFFFFU;
    const unsigned type = head[0] & 0x1FU;
    if ((type != 8 && type != 9 && type != 18 && type != 15) || head[0] > 0x3F)
      return broken(at, "there is no tag where one has to be");
    if (size + 15 > in.size() - at) return broken(in.size(), "the file ends early, within a tag");
    const std::uint32_t back = in.big32(at + 11 + size).value_or(0);
    if (back != size + 11 && back != size && back != 0) return broken(at, "a tag does not point back to its beginning");
    at += 15 + size;
  }
  return whole({{{13, in.size() - std::min<std::uint64_t>(in.size(), 13)}, Density::kDense}});
}

bool recognise_midi(Window& in) { return in.has(0, std::string_view("MThd\0\0\0\x06\0", 9)); }

Report check_midi(Window& in, Budget& budget) {
  std::uint64_t tracks = in.big16(10).value_or(0);
  for (std::uint64_t at = 14; at < in.size() && tracks > 0;) {
    if (!budget.spend(32)) return over_budget();
    const auto size = in.big32(at + 4);
    if (!size || *size > in.size() - at - 8) return broken(in.size(), "the file ends early, within a track");
    const bool track = in.has(at, "MTrk");
    if (const char* wrong = track ? midi_track(in, {at + 8, *size}, budget) : nullptr) return broken(at, wrong);
    tracks -= track ? 1 : 0;
    at += 8 + *size;
  }
  if (budget.spent_out()) return over_budget();
  return tracks == 0 ? whole() : broken(in.size(), "the file ends early, with fewer tracks than it says");
}

}  // namespace kura::detect::streams
