// Encrypted files of one short header each: ansible-vault, git-crypt, `openssl enc`, LUKS, KeePass.
#include <algorithm>
#include <array>

#include "detect/ciphers/base64.h"
#include "detect/ciphers/validators.h"

namespace kura::detect {
namespace {

Report cipher_with(std::string what, Range opaque) {
  Report report = cipher(std::move(what));
  add_stretch(report.stretches, {opaque, Density::kDense});
  return report;
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

// "$ANSIBLE_VAULT;1.1;AES256\n", then hex digits in lines of 80, which say hex digits in three lines again.
bool ansible_vault::recognise(Window& in) { return in.has(0, "$ANSIBLE_VAULT;"); }

Report ansible_vault::check(Window& in, Budget& budget) {
  const std::string_view head = base::as_text(in.at(0, 256));
  const std::size_t end = head.find('\n');
  if (end == std::string_view::npos || head.find(";AES") == std::string_view::npos) {
    return broken(0, "its first line is damaged");
  }
  std::uint64_t digits = 0;
  for (std::uint64_t at = end + 1; at < in.size();) {
    const std::string_view text = base::as_text(in.at(at, 64U << 10));
    if (text.empty() || !budget.spend(text.size())) return over_budget();
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool blank = text[i] == '\n' || text[i] == '\r' || text[i] == ' ';
      if (!is_hex(text[i]) && !blank) return broken(at + i, "there are other characters than hex digits");
      if (blank) continue;
      // Each pair of digits is a hex digit or a line's end: 3x, 6x or 0a.
      const bool high = digits % 2 == 0;
      if (high && text[i] != '3' && text[i] != '6' && text[i] != '0')
        return broken(at + i, "its hex digits say no hex digits");
      ++digits;
    }
    at += text.size();
  }
  // Salt and HMAC have 64 digits each, and each of the three parts one at least.
  if (digits % 2 != 0 || digits < 2 * (64 + 1 + 64 + 1 + 32)) return broken(in.size(), "it ends early");
  return cipher("an Ansible vault");
}

bool git_crypt::recognise(Window& in) { return in.has(0, std::string_view("\0GITCRYPT\0", 10)); }

Report git_crypt::check(Window& in, Budget& /*budget*/) {
  if (in.size() < 22) return broken(in.size(), "it ends early");
  return cipher_with("a file encrypted by git-crypt", {22, in.size() - 22});
}

// "Salted__", eight bytes of salt, and what no one can tell from random bytes; or the same in Base64.
bool openssl_enc::recognise(Window& in) { return in.has(0, "Salted__") || in.has(0, "U2FsdGVkX1"); }

Report openssl_enc::check(Window& in, Budget& budget) {
  if (in.has(0, "Salted__")) {
    if (in.size() <= 16) return broken(in.size(), "it ends early");
    return cipher_with("a file encrypted by openssl enc", {16, in.size() - 16});
  }
  base64::Decoder decoder;
  base::Bytes out;
  for (std::uint64_t at = 0; at < in.size();) {
    const std::string_view text = base::as_text(in.at(at, 64U << 10));
    if (text.empty() || !budget.spend(text.size())) return over_budget();
    out.clear();
    if (!decoder.feed(text, out)) return broken(at, "there are other characters than Base64's");
    at += text.size();
  }
  if (!decoder.ends_well()) return broken(in.size(), "its Base64 ends early");
  return cipher("a file encrypted by openssl enc, in Base64");
}

namespace luks_detail {

// The text of a field: letters, digits and signs, then zeros only.
bool is_name(base::ByteSpan field) {
  const auto zero = std::ranges::find(field, std::uint8_t{0});
  return zero != field.begin() && zero != field.end() &&
         std::all_of(field.begin(), zero, [](std::uint8_t c) { return c > ' ' && c < 0x7F; }) &&
         std::all_of(zero, field.end(), [](std::uint8_t c) { return c == 0; });
}

// LUKS On-Disk Format 1.2.3.
Report check1(Window& in) {
  const auto header = in.whole(0, 592);
  if (!header) return broken(in.size(), "the file ends within the header");
  for (const std::size_t at : {8U, 40U, 72U}) {
    if (!is_name(header->subspan(at, 32))) return broken(at, "the header is damaged");
  }
  for (std::size_t slot = 208; slot < 592; slot += 48) {
    const auto state = big<std::uint32_t>(*header, slot);
    if (state != 0x0000DEAD && state != 0x00AC71F3) return broken(slot, "a key slot is damaged");
    if (big<std::uint32_t>(*header, slot + 44) == 0) return broken(slot, "a key slot is damaged");
  }
  const std::uint64_t payload = std::uint64_t{big<std::uint32_t>(*header, 104)} * 512;
  if (payload > in.size()) return broken(in.size(), "the file ends before the encrypted sectors");
  return cipher_with("a LUKS volume", {4096, in.size() - std::min<std::uint64_t>(4096, in.size())});
}

// LUKS2 On-Disk Format 1.1.1: two headers, each with JSON that begins with a brace and ends in zeros.
Report check2(Window& in) {
  const std::uint64_t size = in.big64(8).value_or(0);
  if (size < 16384 || size > (4U << 20) || (size & (size - 1)) != 0) return broken(8, "the header is damaged");
  if (in.size() < 2 * size) return broken(in.size(), "the file ends within the header");
  for (const std::uint64_t at : {std::uint64_t{0}, size}) {
    const std::string_view json =
        base::as_text(in.at(at + 4096, static_cast<std::size_t>(std::min<std::uint64_t>(size - 4096, 1U << 20))));
    const std::size_t end = std::min(json.find('\0'), json.size());
    const bool text =
        std::ranges::all_of(json.substr(0, end), [](char c) { return c >= ' ' || c == '\n' || c == '\t'; });
    const bool filled = json.find_first_not_of('\0', end) == std::string_view::npos;
    if (!json.starts_with('{') || !json.substr(0, end).ends_with('}') || !text || !filled) {
      return broken(at + 4096, "the description of the volume is damaged");
    }
    if (at != 0 && !in.has(at, "SKUL\xBA\xBE")) return broken(at, "the second header is damaged");
  }
  return cipher_with("a LUKS volume", {2 * size, in.size() - 2 * size});
}

}  // namespace luks_detail

bool luks::recognise(Window& in) {
  if (!in.has(0, "LUKS\xBA\xBE")) return false;
  const auto version = in.big16(6);
  return version == 1 || version == 2;
}

Report luks::check(Window& in, Budget& /*budget*/) {
  return in.big16(6) == 1 ? luks_detail::check1(in) : luks_detail::check2(in);
}

namespace keepass_detail {

constexpr std::uint32_t kSignature = 0x9AA2D903;

// KDBX 3.1 and 4: fields of the header up to the one that ends it. Offset behind it, or 0.
std::uint64_t skip_fields(Window& in, bool wide, Budget& budget) {
  std::uint64_t at = 12;
  while (budget.spend(16)) {
    const auto id = in.byte(at);
    const auto narrow_size = in.little16(at + 1);
    const auto wide_size = in.little32(at + 1);
    if (!id || *id > 20 || !narrow_size || (wide && !wide_size)) return 0;
    const std::uint64_t size = wide ? *wide_size : *narrow_size;
    at += (wide ? 5U : 3U) + size;
    if (size > in.size() || at > in.size()) return 0;
    // Ciphers are named by 16 bytes, seeds are 32, vectors 12 or 16.
    if ((*id == 2 && size != 16) || (*id == 4 && size != 32) || (*id == 3 && size != 4)) return 0;
    if (*id == 0) return at;
  }
  return 0;
}

// KDBX 4: blocks of an HMAC, a length and so much, the last of none.
Report check_blocks(Window& in, std::uint64_t at, Budget& budget) {
  at += 64;  // SHA-256 and HMAC of the header
  const std::uint64_t start = at;
  while (budget.spend(64)) {
    const auto size = in.little32(at + 32);
    if (!size) return broken(in.size(), "the file ends early, or the chain of blocks is broken");
    at += 36;
    if (*size > in.size() - at) return broken(at, "the chain of blocks is broken, or the file ends early");
    at += *size;
    if (*size == 0) break;
  }
  if (budget.spent_out()) return over_budget();
  return cipher_with("a KeePass database", {start, at - start});
}

// KDB, of KeePass 1: 124 bytes, then AES or Twofish in CBC.
Report check_old(Window& in) {
  const auto header = in.whole(0, 124);
  if (!header) return broken(in.size(), "the file ends within the header");
  const auto version = little<std::uint32_t>(*header, 12);
  if ((version & 0xFFFFFF00) != 0x00030000) return broken(12, "the header is damaged");
  if ((in.size() - 124) % 16 != 0) return broken(in.size(), "the file ends early");
  return cipher_with("a KeePass 1 database", {124, in.size() - 124});
}

}  // namespace keepass_detail

bool keepass::recognise(Window& in) {
  const auto second = in.little32(4);
  return in.little32(0) == keepass_detail::kSignature && second && *second >= 0xB54BFB65 && *second <= 0xB54BFB67;
}

Report keepass::check(Window& in, Budget& budget) {
  using namespace keepass_detail;
  if (in.little32(4) == 0xB54BFB65) return check_old(in);
  const std::uint16_t version = in.little16(10).value_or(0);
  if (version < 1 || version > 4) return broken(8, "the header is damaged");
  const std::uint64_t end = skip_fields(in, version == 4, budget);
  if (budget.spent_out()) return over_budget();
  if (end == 0) return broken(12, "the header is damaged");
  if (version == 4) return check_blocks(in, end, budget);
  // AES and Twofish fill blocks, ChaCha20 does not.
  const bool chacha = base::as_text(in.at(12, 256)).find("\xD6\x03\x8A\x2B\x8B\x6F") != std::string_view::npos;
  if (((in.size() - end) % 16 != 0 && !chacha) || in.size() == end) return broken(in.size(), "the file ends early");
  return cipher_with("a KeePass database", {end, in.size() - end});
}

}  // namespace kura::detect
