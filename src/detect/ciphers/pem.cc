// PEM (RFC 7468): keys, certificates, requests and messages, with text of people between them. What they hold is ASN.1,
// or what OpenSSH writes for its private keys.
#include <algorithm>

#include "base/escape.h"
#include "detect/ciphers/armour.h"
#include "detect/ciphers/der.h"
#include "detect/ciphers/validators.h"

namespace kura::detect {
namespace pem_detail {

// Labels whose contents are no ASN.1.
bool is_opaque(const armour::Block& block) {
  return block.encrypted || block.label.find("SSH") != std::string::npos || block.label.starts_with("WireGuard");
}

bool is_der_label(std::string_view label) {
  for (const std::string_view word : {"CERTIFICATE", "KEY", "PKCS", "CMS", "CRL", "PARAMETERS"}) {
    if (label.find(word) != std::string_view::npos) return true;
  }
  return false;
}

// "openssh-key-v1\0", then strings of a length and so much, up to the end (openssh's PROTOCOL.key).
bool holds_openssh(base::ByteSpan bytes) {
  constexpr std::string_view kMagic("openssh-key-v1\0", 15);
  if (!base::as_text(bytes).starts_with(kMagic)) return false;
  std::size_t at = kMagic.size();
  std::uint32_t keys = 1;
  const auto skip = [&] {
    if (bytes.size() - at < 4) return false;
    const auto size = big<std::uint32_t>(bytes, at);
    at += 4;
    if (size > bytes.size() - at) return false;
    at += size;
    return true;
  };
  for (int i = 0; i < 3; ++i) {
    if (!skip()) return false;
  }
  if (bytes.size() - at < 4) return false;
  keys = big<std::uint32_t>(bytes, at);
  at += 4;
  if (keys == 0 || keys > 64) return false;
  for (std::uint32_t i = 0; i < keys + 1; ++i) {
    if (!skip()) return false;
  }
  // A tag of an authenticated cipher may follow.
  return bytes.size() - at <= 16;
}

bool holds(const armour::Block& block, Budget& budget) {
  if (block.label == "OPENSSH PRIVATE KEY") return holds_openssh(block.head);
  if (is_opaque(block) || !block.whole || block.head.empty() || !is_der_label(block.label)) return true;
  if (block.head[0] != 0x30 && block.head[0] != 0x06) return false;
  MemoryInput held(block.head);
  Window window(held);
  std::uint64_t offset = 0;
  return der::walk(window, offset, held.size(), budget, nullptr);
}

// CMS that encrypts: its content type is enveloped, encrypted or the like.
bool is_encrypted_message(const armour::Block& block) {
  if (block.label != "CMS" && block.label != "PKCS7") return false;
  const std::string_view head = base::as_text(block.head).substr(0, 32);
  const std::size_t at = head.find(std::string_view("\x2A\x86\x48\x86\xF7\x0D\x01\x07", 8));
  if (at == std::string_view::npos || at + 8 >= head.size()) return false;
  return head[at + 8] == 3 || head[at + 8] == 4 || head[at + 8] == 6;
}

bool is_text(std::string_view line) {
  return std::ranges::all_of(
      line, [](char c) { return static_cast<unsigned char>(c) >= ' ' || c == '\t' || c == '\r' || c == '\f'; });
}

}  // namespace pem_detail

bool pem::recognise(Window& in) { return in.has(0, "-----BEGIN ") && armour::begins(in, 0); }

Report pem::check(Window& in, Budget& budget) {
  using namespace pem_detail;
  std::uint64_t offset = 0;
  bool encrypted = false;
  while (offset < in.size()) {
    const std::uint64_t start = offset;
    if (!budget.spend(64)) return over_budget();
    if (!armour::begins(in, offset)) {
      const std::string_view line = armour::next_line(in, offset);
      if (!is_text(line)) return broken(start, "there is a line between blocks that is no text");
      if (!budget.spend(line.size())) return over_budget();
      continue;
    }
    armour::Block block;
    if (!armour::read(in, offset, budget, block)) {
      return budget.spent_out() ? over_budget() : broken(block.wrong_at, block.evidence);
    }
    if (!holds(block, budget)) {
      if (budget.spent_out()) return over_budget();
      return broken(start, "what " + base::printable(block.label) + " holds is damaged");
    }
    encrypted = encrypted || is_encrypted_message(block);
  }
  return encrypted ? cipher("an encrypted CMS message (PKCS #7, S/MIME)") : whole();
}

}  // namespace kura::detect
