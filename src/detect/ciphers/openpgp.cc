// OpenPGP (RFC 9580, RFC 4880): messages, signatures and keys as packets, binary or armoured.
#include <algorithm>
#include <optional>

#include "detect/ciphers/armour.h"
#include "detect/ciphers/openpgp_packed.h"
#include "detect/ciphers/validators.h"

namespace kura::detect {
namespace openpgp_detail {

// Kinds of packets, section 5.
enum Tag : std::uint8_t {
  kToPublicKey = 1,
  kSignature = 2,
  kToPassword = 3,
  kOnePass = 4,
  kSecretKey = 5,
  kPublicKey = 6,
  kSecretSubkey = 7,
  kCompressed = 8,
  kEncrypted = 9,
  kMarker = 10,
  kLiteral = 11,
  kTrust = 12,
  kUser = 13,
  kPublicSubkey = 14,
  kAttribute = 17,
  kProtected = 18,
  kSealed = 20,
  kPadding = 21
};

struct Packet {
  std::uint8_t tag = 0;
  std::uint64_t body = 0;  // offset
  std::uint64_t size = 0;  // of what is in one piece: of a body in pieces, the first
  std::uint64_t end = 0;   // of all pieces
};

// Follows a body in pieces (section 4.2.1.4) to its end, from the length of its first piece; 0 when they do not chain.
std::uint64_t end_of_pieces(Window& in, std::uint64_t at, std::uint64_t size, Budget& budget) {
  while (budget.spend(16)) {
    at += size;
    const auto first = in.byte(at);
    if (!first) return 0;
    if (*first >= 224 && *first < 255) {
      size = 1ULL << (*first & 31U);
      if (size > in.size() - at) return 0;
      ++at;
      continue;
    }
    std::uint64_t width = 1;
    size = *first;
    if (*first == 255) {
      width = 5;
      size = in.big32(at + 1).value_or(0);
    } else if (*first >= 192) {
      width = 2;
      size = ((*first - 192ULL) << 8) + in.byte(at + 1).value_or(0) + 192;
    }
    if (width > in.size() - at || size > in.size() - at - width) return 0;
    return at + width + size;
  }
  return 0;
}

std::optional<Packet> read_packet(Window& in, std::uint64_t offset, Budget& budget) {
  const base::ByteSpan bytes = in.at(offset, 6);
  if (bytes.size() < 2 || (bytes[0] & 0x80) == 0) return std::nullopt;
  Packet packet;
  std::uint64_t width = 1;
  bool pieces = false;
  if ((bytes[0] & 0x40) != 0) {
    packet.tag = bytes[0] & 0x3F;
    packet.size = bytes[1];
    if (bytes[1] == 255) {
      if (bytes.size() < 6) return std::nullopt;
      width = 5;
      packet.size = big<std::uint32_t>(bytes, 2);
    } else if (bytes[1] >= 224) {
      packet.size = 1ULL << (bytes[1] & 31U);
      pieces = true;
    } else if (bytes[1] >= 192) {
      if (bytes.size() < 3) return std::nullopt;
      width = 2;
      packet.size = ((bytes[1] - 192ULL) << 8) + bytes[2] + 192;
    }
  } else {
    packet.tag = bytes[0] >> 2 & 15;
    width = std::uint64_t{1} << (bytes[0] & 3U);
    if (width == 8) {  // up to the end of the file
      packet.body = offset + 1;
      packet.size = in.size() - packet.body;
      packet.end = in.size();
      return packet;
    }
    if (bytes.size() < 1 + width) return std::nullopt;
    for (std::uint64_t i = 0; i < width; ++i) packet.size = packet.size << 8 | bytes[1 + i];
  }
  packet.body = offset + 1 + width;
  if (packet.body > in.size() || packet.size > in.size() - packet.body) return std::nullopt;
  packet.end = pieces ? end_of_pieces(in, packet.body, packet.size, budget) : packet.body + packet.size;
  if (packet.end == 0) return std::nullopt;
  return packet;
}

// Moves `at` behind a number of so many bits (section 3.2).
bool skip_mpi(base::ByteSpan body, std::size_t& at) {
  if (body.size() - at < 2) return false;
  const std::size_t bits = big<std::uint16_t>(body, at);
  const std::size_t bytes = (bits + 7) / 8;
  at += 2;
  if (bits > 16384 + 64 || bytes > body.size() - at) return false;
  // The first byte has just as many bits; some write more.
  if (bits % 8 != 0 && bytes > 0 && body[at] >> (bits % 8) != 0) return false;
  at += bytes;
  return true;
}

// How many numbers what is encrypted to a key of this algorithm has.
bool holds_to_public_key(base::ByteSpan body) {
  if (body.empty()) return false;
  if (body[0] == 6) return body.size() > 20;
  if (body[0] != 2 && body[0] != 3) return false;
  if (body.size() < 12) return false;
  std::size_t at = 10;
  switch (body[9]) {
    case 1:
    case 2:
      return skip_mpi(body, at) && at == body.size();
    case 16:
    case 20:
      return skip_mpi(body, at) && skip_mpi(body, at) && at == body.size();
    case 18:
      return skip_mpi(body, at) && at < body.size() && std::size_t{body[at]} + 1 == body.size() - at;
    case 25:
    case 26:
      return body.size() > 10 + 32 && body.size() < 160;
    case 8:  // of GnuPG, post-quantum
    case 29:
    case 35:
    case 36:
      return body.size() > 100 && body.size() < 4096;
    default:
      return false;
  }
}

// What turns a password into a key, section 3.7: size, or 0.
std::size_t s2k_size(base::ByteSpan bytes) {
  if (bytes.size() < 2) return 0;
  switch (bytes[0]) {
    case 0:
      return 2;
    case 1:
      return 10;
    case 3:
      return 11;
    case 4:
      return 20;
    default:
      return 0;
  }
}

bool holds_to_password(base::ByteSpan body) {
  if (body.size() < 4 || body[0] < 4 || body[0] > 6) return false;
  if (body[0] > 4) return body.size() > 30 && body.size() < 200;
  if (body[1] == 0 || body[1] > 13) return false;
  const base::ByteSpan rest = body.subspan(2);
  const std::size_t s2k = s2k_size(rest);
  // A session key may follow: an algorithm and at most 32 bytes.
  return s2k != 0 && rest.size() >= s2k && rest.size() - s2k <= 33 && (rest[0] == 4 || rest[1] <= 14);
}

// Subpackets fill their room exactly, section 5.2.3.7.
bool skip_subpackets(base::ByteSpan body, std::size_t& at, std::size_t width) {
  if (body.size() - at < width) return false;
  std::size_t left = width == 4 ? big<std::uint32_t>(body, at) : big<std::uint16_t>(body, at);
  at += width;
  if (left > body.size() - at) return false;
  while (left > 0) {
    std::size_t size = body[at];
    std::size_t used = 1;
    if (size == 255) {
      if (left < 5) return false;
      size = big<std::uint32_t>(body, at + 1);
      used = 5;
    } else if (size >= 192) {
      if (left < 2) return false;
      size = ((size - 192) << 8) + body[at + 1] + 192;
      used = 2;
    }
    if (size == 0 || size > left - used) return false;
    at += used + size;
    left -= used + size;
  }
  return true;
}

bool holds_signature(base::ByteSpan body) {
  if (body.size() < 12) return false;
  if (body[0] == 2 || body[0] == 3) {
    if (body[1] != 5 || body.size() < 22) return false;
    std::size_t at = 19;
    while (at < body.size()) {
      if (!skip_mpi(body, at)) return false;
    }
    return true;
  }
  if (body[0] < 4 || body[0] > 6) return false;
  const std::size_t width = body[0] == 6 ? 4 : 2;
  std::size_t at = 4;
  if (!skip_subpackets(body, at, width) || !skip_subpackets(body, at, width)) return false;
  if (body.size() - at < 2) return false;
  at += 2;
  if (body[0] == 6 || body[2] == 27 || body[2] == 28 || body[2] >= 100) return body.size() - at >= 16;
  while (at < body.size()) {
    if (!skip_mpi(body, at)) return false;
  }
  return true;
}

bool holds_public_key(base::ByteSpan body, bool secret) {
  if (body.size() < 8 || body[0] < 2 || body[0] > 6) return false;
  if (body[0] >= 5) return body.size() > 20;
  std::size_t at = body[0] == 4 ? 5 : 7;
  if (body.size() <= at) return false;
  const std::uint8_t algorithm = body[at++];
  int numbers = 0;
  switch (algorithm) {
    case 1:
    case 2:
    case 3:
      numbers = 2;
      break;
    case 16:
    case 20:
      numbers = 3;
      break;
    case 17:
      numbers = 4;
      break;
    case 18:
    case 19:
    case 22: {
      if (at >= body.size() || std::size_t{body[at]} + 1 > body.size() - at) return false;
      at += std::size_t{body[at]} + 1;
      numbers = 1;
      break;
    }
    default:
      return body.size() > 32;
  }
  for (int i = 0; i < numbers; ++i) {
    if (!skip_mpi(body, at)) return false;
  }
  if (algorithm == 18) {
    if (at >= body.size() || std::size_t{body[at]} + 1 > body.size() - at) return false;
    at += std::size_t{body[at]} + 1;
  }
  return secret ? at < body.size() : at == body.size();
}

bool holds_user(base::ByteSpan body) {
  return std::ranges::all_of(body, [](std::uint8_t byte) { return byte >= ' ' || byte == '\t' || byte == '\n'; });
}

bool holds(Window& in, const Packet& packet) {
  if (packet.tag == kEncrypted || packet.tag == kLiteral || packet.tag == kTrust) return true;
  const base::ByteSpan body =
      in.at(packet.body, static_cast<std::size_t>(std::min<std::uint64_t>(packet.size, 64U << 10)));
  switch (packet.tag) {
    case kToPublicKey:
      return holds_to_public_key(body);
    case kSignature:
      return holds_signature(body);
    case kToPassword:
      return holds_to_password(body);
    case kOnePass:
      return body.size() >= 13 && (body[0] == 3 || body[0] == 6);
    case kSecretKey:
    case kSecretSubkey:
      return holds_public_key(body, true);
    case kPublicKey:
    case kPublicSubkey:
      return holds_public_key(body, false);
    case kCompressed:
      return !body.empty() && body[0] <= 3;
    case kMarker:
      return base::as_text(body) == "PGP";
    case kUser:
      return holds_user(body);
    case kAttribute:
      return body.size() > 2;
    case kProtected:
      return body.size() > 20 && (body[0] == 1 || body[0] == 2);
    case kSealed:
      return body.size() > 20 && body[0] == 1;
    case kPadding:
      return true;
    default:
      return packet.tag >= 40 && packet.tag < 64;  // not critical: readers skip them
  }
}

bool hides(std::uint8_t tag) { return tag == kEncrypted || tag == kProtected || tag == kSealed; }

Report walk_packets(Window& in, Budget& budget);

// Whether a body that is in one piece and compressed holds packets again, to its end. Wants `packet.end` to be its end.
Report check_packed(Window& in, const Packet& packet, Budget& budget) {
  const Packed packed = unpack(in, {packet.body, packet.size}, budget);
  if (!packed.known) return whole({{{packet.body, packet.size}, Density::kDense}});
  if (packed.end == InflateEnd::kOverBudget) return over_budget();
  if (!packed.fills) return broken(packet.body, "a compressed packet does not unpack to its end");
  if (!packed.complete) return whole();
  MemoryInput held(packed.head);
  Window inner(held);
  const auto first = read_packet(inner, 0, budget);
  // None is in another one.
  if (!first || first->tag == kCompressed) return broken(packet.body, "what a compressed packet holds is damaged");
  return walk_packets(inner, budget);
}

Report walk_packets(Window& in, Budget& budget) {
  Report report;
  bool asked = false;   // a packet says how to open the message
  bool hidden = false;  // the message
  for (std::uint64_t offset = 0; offset < in.size();) {
    const auto packet = read_packet(in, offset, budget);
    if (!budget.spend(64)) return over_budget();
    if (!packet) return broken(offset, "the chain of packets is broken, or the file ends early");
    if (hidden) return broken(offset, "there is more behind an encrypted message");
    if (!holds(in, *packet)) return broken(offset, "a packet is damaged");
    const bool asks = packet->tag == kToPublicKey || packet->tag == kToPassword;
    if (asked && !asks && !hides(packet->tag) && packet->tag != kMarker && packet->tag != kPadding) {
      return broken(offset, "there is no message behind its keys");
    }
    asked = asked || asks;
    hidden = hides(packet->tag);
    if (packet->tag == kCompressed && packet->end == packet->body + packet->size) {
      Report packed = check_packed(in, *packet, budget);
      if (packed.finding == Finding::kBroken || packed.finding == Finding::kUndecided) return packed;
    } else if (hidden || packet->tag == kCompressed || packet->tag == kLiteral) {
      add_stretch(report.stretches, {{packet->body, packet->end - packet->body}, Density::kDense});
    }
    offset = packet->end;
  }
  if (asked && !hidden) return broken(in.size(), "the file ends before the message");
  if (hidden) {
    report.finding = Finding::kCipher;
    report.evidence = "an encrypted OpenPGP message";
  }
  return report;
}

// Of a file that is one compressed packet, as GnuPG writes what is signed: whether its beginning unpacks to a packet.
bool begins_packed(Window& in) {
  constexpr std::uint64_t kLooked = 4096;
  const std::uint8_t method = in.byte(1).value_or(0);
  if (in.byte(0) != 0xA3 || (method != 1 && method != 2)) return false;
  Budget budget(8U << 20);
  const Packed packed = unpack(in, {1, std::min(in.size() - 1, kLooked)}, budget);
  if (packed.end == InflateEnd::kBroken || packed.head.size() < 16) return false;
  MemoryInput held(packed.head);
  Window inner(held);
  const std::uint8_t first = inner.byte(0).value_or(0);
  const std::uint8_t tag = (first & 0x40) != 0 ? first & 0x3F : first >> 2 & 15;
  return (first & 0x80) != 0 && (tag == kOnePass || tag == kSignature || tag == kLiteral || tag == kMarker);
}

}  // namespace openpgp_detail

// The first packet has to hold, and a second to follow it, unless a signature is all; literal ones alone say too
// little.
bool openpgp::recognise(Window& in) {
  using namespace openpgp_detail;
  Budget budget(1U << 16);
  if ((in.byte(0).value_or(0) & 0x80) == 0) return false;
  if (begins_packed(in)) return true;
  const auto first = read_packet(in, 0, budget);
  if (!first || first->tag == 0 || first->size > (64U << 10) || first->tag == kOnePass) return false;
  const bool starts = first->tag == kToPublicKey || first->tag == kToPassword || first->tag == kPublicKey ||
                      first->tag == kSecretKey || first->tag == kSignature;
  if (!starts || !holds(in, *first)) return false;
  if (first->end == in.size()) return first->tag == kSignature || first->tag == kPublicKey;
  const std::uint8_t next = in.byte(first->end).value_or(0);
  // What follows may be damaged; its first byte has to be one of a packet.
  if ((next & 0x80) == 0) return first->tag == kPublicKey || first->tag == kSignature;
  const std::uint8_t tag = (next & 0x40) != 0 ? next & 0x3F : next >> 2 & 15;
  if (first->tag == kToPublicKey || first->tag == kToPassword) {
    return tag == kToPublicKey || tag == kToPassword || hides(tag);
  }
  return true;
}

Report openpgp::check(Window& in, Budget& budget) { return openpgp_detail::walk_packets(in, budget); }

bool pgp_armour::recognise(Window& in) { return in.has(0, "-----BEGIN PGP "); }

Report pgp_armour::check(Window& in, Budget& budget) {
  using namespace openpgp_detail;
  bool encrypted = false;
  bool unsigned_text = false;  // of a clear text whose signature has not come yet
  for (std::uint64_t offset = 0; offset < in.size();) {
    const std::uint64_t start = offset;
    if (!budget.spend(64)) return over_budget();
    const bool text_begins = in.has(offset, "-----BEGIN PGP SIGNED MESSAGE");
    unsigned_text = unsigned_text || text_begins;
    if (text_begins || !armour::begins(in, offset)) {
      const std::string_view line = armour::next_line(in, offset);
      if (!budget.spend(line.size())) return over_budget();
      const bool text = std::ranges::all_of(
          line, [](char c) { return static_cast<unsigned char>(c) >= ' ' || (c >= 9 && c <= 13) || c == 27; });
      if (!text) return broken(start, "there is a line that is no text");
      continue;
    }
    armour::Block block;
    if (!armour::read(in, offset, budget, block)) {
      return budget.spent_out() ? over_budget() : broken(block.wrong_at, block.evidence);
    }
    const bool message = block.label.starts_with("PGP MESSAGE");
    const bool keys = block.label == "PGP PUBLIC KEY BLOCK" || block.label == "PGP PRIVATE KEY BLOCK";
    if (block.label == "PGP SIGNATURE") unsigned_text = false;
    // GnuPG armours whatever it is given, as an "ARMORED FILE".
    if ((!message && !keys && block.label != "PGP SIGNATURE") || block.head.empty()) continue;
    MemoryInput held(block.head);
    Window window(held);
    const auto first = read_packet(window, 0, budget);
    // Of a long message only the beginning is held.
    if (!block.whole) {
      encrypted = encrypted || (message && (block.head[0] & 0x80) != 0);
      continue;
    }
    if (!first) return broken(start, "what the armour holds is damaged");
    const Report inner = walk_packets(window, budget);
    if (inner.finding == Finding::kBroken) return broken(start, "in the armour, " + inner.evidence);
    encrypted = encrypted || inner.finding == Finding::kCipher;
  }
  if (unsigned_text) return broken(in.size(), "the file ends before the signature");
  return encrypted ? cipher("an encrypted OpenPGP message") : whole();
}

}  // namespace kura::detect
