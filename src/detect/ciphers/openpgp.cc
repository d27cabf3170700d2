// OpenPGP (RFC 9580, RFC 4880): messages, signatures and keys as packets, binary or armoured.
#include <algorithm>

#include "detect/ciphers/armour.h"
#include "detect/ciphers/openpgp_packed.h"
#include "detect/ciphers/openpgp_packets.h"
#include "detect/ciphers/validators.h"

namespace kura::detect {
namespace openpgp_detail {
namespace {

enum class Place : std::uint8_t { kFile, kCompressed };  // where packets stand

Report walk_packets(Window& in, Budget& budget, Place place = Place::kFile);

// Whether a body that is in one piece and compressed holds packets again, to its end. Wants `packet.end` to be its end.
Report check_packed(Window& in, const Packet& packet, Budget& budget) {
  const Packed packed = unpack(in, {packet.body, packet.size}, budget);
  if (!packed.known) return whole({{{packet.body, packet.size}, Density::kDense}});
  if (packed.end == InflateEnd::kOverBudget) return over_budget();
  if (!packed.fills) return broken(packet.body, "a compressed packet does not unpack to its end");
  if (!packed.complete) return whole();
  MemoryInput held(packed.head);
  Window inner(held);
  return walk_packets(inner, budget, Place::kCompressed);
}

Report walk_packets(Window& in, Budget& budget, Place place) {
  Report report;
  bool asked = false;   // a packet says how to open the message
  bool hidden = false;  // the message
  for (std::uint64_t offset = 0; offset < in.size();) {
    const auto packet = read_packet(in, offset, budget);
    if (!budget.spend(64)) return over_budget();
    if (!packet) return broken(offset, "the chain of packets is broken, or the file ends early");
    if (hidden) return broken(offset, "there is more behind an encrypted message");
    if (!holds(in, *packet)) return broken(offset, "a packet is damaged");
    if (packet->tag == kCompressed && place == Place::kCompressed) {
      return broken(offset, "a compressed packet is in another one");
    }
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

}  // namespace
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
