// The packets of OpenPGP (RFC 9580, RFC 4880): where each ends, and whether it is what its kind is.
#pragma once

#include <cstdint>
#include <optional>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::openpgp_detail {

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

// The one at `offset`; nothing when there is none, or it leads out of the file. Spends a little for each piece of it.
std::optional<Packet> read_packet(Window& in, std::uint64_t offset, Budget& budget);

// Whether a body (its first 64 KiB) is one of its kind. Of what is encrypted, or is any text, it says yes.
bool holds(Window& in, const Packet& packet);

// Whether what it holds is encrypted.
inline bool hides(std::uint8_t tag) { return tag == kEncrypted || tag == kProtected || tag == kSealed; }

}  // namespace kura::detect::openpgp_detail
