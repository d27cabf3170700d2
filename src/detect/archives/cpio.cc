// cpio (POSIX.1-2001 "odc", SVR4 "newc" and "crc", the old binary one): headers, each followed by a name and contents.
#include <algorithm>
#include <optional>

#include "base/escape.h"
#include "detect/archives/nested.h"
#include "detect/archives/validators.h"

namespace kura::detect::cpio {
namespace {

enum class Form : std::uint8_t { kNone, kOdc, kNewc, kCrc, kLittle, kBig };

struct Member {
  std::uint64_t name = 0;  // bytes, with the zero
  std::uint64_t size = 0;
  std::uint64_t header = 0;
  std::uint64_t align = 1;
  std::uint32_t sum = 0;
};

Form form_at(Window& in, std::uint64_t offset) {
  const std::string_view magic = base::as_text(in.at(offset, 6));
  if (magic == "070707") return Form::kOdc;
  if (magic == "070701") return Form::kNewc;
  if (magic == "070702") return Form::kCrc;
  if (magic.starts_with("\xC7\x71")) return Form::kLittle;
  if (magic.starts_with("\x71\xC7")) return Form::kBig;
  return Form::kNone;
}

// The digits of a header, `count` fields; false when one is no digit.
bool all_digits(std::string_view text, unsigned base) {
  return std::ranges::all_of(text, [&](char c) {
    if (c >= '0' && c <= '7') return true;
    return base == 16 && ((c >= '8' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
  });
}

std::uint64_t digits(std::string_view text, unsigned base) {
  std::uint64_t value = 0;
  for (const char c : text) {
    value = value * base + static_cast<std::uint64_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

std::optional<Member> read_member(Window& in, std::uint64_t offset, Form form) {
  if (form == Form::kOdc) {
    const std::string_view text = base::as_text(in.at(offset, 76));
    if (text.size() < 76 || !all_digits(text, 8)) return std::nullopt;
    return Member{digits(text.substr(59, 6), 8), digits(text.substr(65, 11), 8), 76, 1, 0};
  }
  if (form == Form::kNewc || form == Form::kCrc) {
    const std::string_view text = base::as_text(in.at(offset, 110));
    if (text.size() < 110 || !all_digits(text, 16)) return std::nullopt;
    return Member{digits(text.substr(94, 8), 16), digits(text.substr(54, 8), 16), 110, 4,
                  static_cast<std::uint32_t>(digits(text.substr(102, 8), 16))};
  }
  const auto bytes = in.whole(offset, 26);
  if (!bytes) return std::nullopt;
  const auto half = [&](std::size_t at) {
    return form == Form::kLittle ? little<std::uint16_t>(*bytes, at) : big<std::uint16_t>(*bytes, at);
  };
  return Member{half(20), std::uint64_t{half(22)} << 16 | half(24), 26, 2, 0};
}

std::uint64_t aligned(std::uint64_t offset, std::uint64_t align) { return (offset + align - 1) / align * align; }

// The sum of all bytes, that "crc" calls a checksum.
std::uint32_t sum_of(Window& in, Range range, Budget& budget) {
  std::uint32_t sum = 0;
  for (std::uint64_t at = range.offset; at < range.end();) {
    const base::ByteSpan bytes =
        in.at(at, static_cast<std::size_t>(std::min<std::uint64_t>(64U << 10, range.end() - at)));
    if (bytes.empty() || !budget.spend(bytes.size())) break;
    for (const std::uint8_t byte : bytes) sum += byte;
    at += bytes.size();
  }
  return sum;
}

// Zeros up to the end; else another archive may follow (an initramfs), and its offset is told.
std::uint64_t skip_zeros(Window& in, std::uint64_t offset, Budget& budget) {
  while (offset < in.size()) {
    const base::ByteSpan bytes = in.at(offset, 64U << 10);
    if (bytes.empty() || !budget.spend(bytes.size())) return in.size();
    const auto other = std::ranges::find_if(bytes, [](std::uint8_t byte) { return byte != 0; });
    offset += static_cast<std::uint64_t>(other - bytes.begin());
    if (other != bytes.end()) return offset;
  }
  return offset;
}

}  // namespace

// The binary forms have a magic of two bytes: there the name has to end where the header says, too.
bool recognise(Window& in) {
  const Form form = form_at(in, 0);
  if (form == Form::kNone) return false;
  const auto member = read_member(in, 0, form);
  if (form != Form::kLittle && form != Form::kBig) return true;
  if (!member || member->name < 2 || member->name > 1024) return false;
  const auto name = in.whole(26, static_cast<std::size_t>(member->name));
  return name && name->back() == 0 &&
         std::ranges::all_of(name->first(name->size() - 1), [](std::uint8_t byte) { return byte >= ' '; });
}

Report check(Window& in, Budget& budget) {
  Report report;
  std::uint64_t offset = 0;
  std::string last = "the beginning";
  while (true) {
    if (!budget.spend(256)) return over_budget();
    const Form form = form_at(in, offset);
    const auto member = form == Form::kNone ? std::nullopt : read_member(in, offset, form);
    if (!member) {
      return offset >= in.size() ? broken(in.size(), "the file ends early")
                                 : broken(offset, "there is no header behind " + base::printable(last));
    }
    const auto name =
        in.whole(offset + member->header, static_cast<std::size_t>(std::min<std::uint64_t>(member->name, 65536)));
    if (!name || name->empty() || name->size() < member->name || name->back() != 0) {
      return broken(offset, "the name behind " + base::printable(last) + " is damaged, or the file ends early");
    }
    last = base::as_text(name->first(std::min<std::size_t>(name->size() - 1, 200)));
    offset = aligned(offset + member->header + member->name, member->align);
    if (offset > in.size() || member->size > in.size() - offset) {
      return broken(in.size(), "the file ends within " + base::printable(last));
    }
    if (last == "TRAILER!!!" && member->size == 0) break;
    const Range contents{offset, member->size};
    if (form == Form::kCrc) {
      if (sum_of(in, contents, budget) != member->sum && member->sum != 0 && !budget.spent_out()) {
        return broken(offset, "the checksum of " + base::printable(last) + " is wrong");
      }
    } else if (!nested::check_member(in, contents, budget, report, last)) {
      return report;
    }
    offset = aligned(offset + member->size, member->align);
  }
  offset = skip_zeros(in, offset, budget);
  if (budget.spent_out()) return over_budget();
  if (offset < in.size()) nested::check_member(in, {offset, in.size() - offset}, budget, report, "what follows");
  return report;
}

}  // namespace kura::detect::cpio
