#include "detect/ciphers/openpgp_packets.h"

#include <algorithm>

namespace kura::detect::openpgp_detail {
namespace {

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

}  // namespace

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

}  // namespace kura::detect::openpgp_detail
