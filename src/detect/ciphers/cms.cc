// What stands in DER files: CMS and PKCS #7 (RFC 5652), PKCS #12 (RFC 7292), certificates, requests and lists (RFC
// 5280, RFC 2986). Told by object identifiers and shape, walked as ASN.1.
#include <algorithm>

#include "detect/ciphers/der.h"
#include "detect/ciphers/validators.h"

namespace kura::detect {
namespace {

constexpr std::string_view kPkcs7("\x2A\x86\x48\x86\xF7\x0D\x01\x07", 8);
constexpr std::string_view kAuthEnveloped("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x17", 11);

// The outer sequence, if it fills the file; up to 4 KiB may follow it (a line's end, a sector's filling).
std::optional<der::Head> outer_sequence(Window& in) {
  const auto head = der::read_head(in, 0);
  if (!head || head->tag != 0x30) return std::nullopt;
  return head;
}

std::string_view identifier_at(Window& in, std::uint64_t offset) {
  const auto head = der::read_head(in, offset);
  if (!head || head->tag != 6 || head->size > 64) return {};
  return base::as_text(in.at(head->content, static_cast<std::size_t>(head->size)));
}

Report walk_all(Window& in, Budget& budget, bool encrypted, std::string what) {
  Report report;
  std::uint64_t offset = 0;
  if (!der::walk(in, offset, in.size(), budget, &report.stretches)) {
    if (budget.spent_out()) return over_budget();
    return broken(offset, "its ASN.1 is damaged, or the file ends early");
  }
  add_stretch(report.stretches, {{offset, in.size() - offset}, Density::kPlain});
  if (encrypted) {
    report.finding = Finding::kCipher;
    report.evidence = std::move(what);
  }
  return report;
}

}  // namespace

bool cms::recognise(Window& in) {
  const auto outer = outer_sequence(in);
  if (!outer) return false;
  const std::string_view type = identifier_at(in, outer->content);
  return type == kAuthEnveloped || (type.size() == 9 && type.starts_with(kPkcs7));
}

Report cms::check(Window& in, Budget& budget) {
  const std::string_view type = identifier_at(in, outer_sequence(in).value_or(der::Head{}).content);
  const bool encrypted = type == kAuthEnveloped || type.ends_with('\3') || type.ends_with('\4') || type.ends_with('\6');
  return walk_all(in, budget, encrypted, "an encrypted CMS message (PKCS #7, S/MIME)");
}

// SEQUENCE { INTEGER 3, SEQUENCE { OBJECT IDENTIFIER data or signedData ...
bool pkcs12::recognise(Window& in) {
  const auto outer = outer_sequence(in);
  if (!outer || !in.has(outer->content, std::string_view("\2\1\3", 3))) return false;
  const auto safe = der::read_head(in, outer->content + 3);
  return safe && safe->tag == 0x30 && identifier_at(in, safe->content).starts_with(kPkcs7);
}

Report pkcs12::check(Window& in, Budget& budget) {
  return walk_all(in, budget, true, "a PKCS #12 store of keys and certificates");
}

// SEQUENCE { SEQUENCE { ... }, SEQUENCE { OBJECT IDENTIFIER of an algorithm ...}, BIT STRING }: what is signed. Or a
// key: SEQUENCE { INTEGER, ... } or SEQUENCE { SEQUENCE { OBJECT IDENTIFIER ... }, BIT STRING }.
bool x509::recognise(Window& in) {
  const auto outer = outer_sequence(in);
  if (!outer || outer->size == der::kUntilEnd || in.size() > (16U << 20)) return false;
  const std::uint64_t end = outer->content + outer->size;
  if (end > in.size() + (1U << 20) || end + 4096 < in.size() || outer->size < 32) return false;
  const auto first = der::read_head(in, outer->content);
  if (!first || first->size > outer->size) return false;
  if (first->tag == 2) {
    // Private keys: a version, then an algorithm, or numbers.
    if (first->size != 1 || in.byte(first->content).value_or(9) > 2) return false;
    const auto next = der::read_head(in, first->content + 1);
    return next && (next->tag == 0x30 || next->tag == 2 || next->tag == 4) && next->size < outer->size &&
           end == in.size();
  }
  if (first->tag != 0x30) return false;
  if (!identifier_at(in, first->content).empty()) return true;
  const auto inner = der::read_head(in, first->content);
  if (!inner || (inner->tag != 2 && inner->tag != 0xA0 && inner->tag != 0x30)) return false;
  const auto algorithm = der::read_head(in, first->content + first->size);
  // Where the file was cut short, or its end is damaged, its beginning has to do.
  if (inner->tag == 0xA0) return in.has(inner->content, std::string_view("\2\1", 2));
  return algorithm && algorithm->tag == 0x30 && !identifier_at(in, algorithm->content).empty();
}

Report x509::check(Window& in, Budget& budget) {
  Report report = walk_all(in, budget, false, {});
  report.stretches.clear();
  return report;
}

}  // namespace kura::detect
