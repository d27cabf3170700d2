// tar (POSIX.1-2017 ustar and pax, GNU tar's and v7's): headers of 512 bytes with a checksum, each followed by its
// contents, which have none. Members that are archives are proven as such; of others nothing is known but where they
// are.
#include <algorithm>
#include <optional>

#include "base/escape.h"
#include "detect/archives/nested.h"
#include "detect/archives/validators.h"

namespace kura::detect::tar {
namespace {

constexpr std::size_t kBlock = 512;

bool is_zero(base::ByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

// An octal number between spaces and zeros, or one of GNU in base 256; nothing when it is neither.
std::optional<std::uint64_t> number(base::ByteSpan field) {
  if ((field[0] & 0x80) != 0) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : field.last(std::min<std::size_t>(8, field.size() - 1))) value = value << 8 | byte;
    return value;
  }
  std::size_t at = 0;
  while (at < field.size() && (field[at] == ' ' || field[at] == 0)) ++at;
  std::uint64_t value = 0;
  for (; at < field.size() && field[at] >= '0' && field[at] <= '7'; ++at) value = value << 3 | (field[at] - '0');
  return at == field.size() || field[at] == ' ' || field[at] == 0 ? std::optional(value) : std::nullopt;
}

// Old writers sum signed bytes.
bool checksum_holds(base::ByteSpan header) {
  const auto said = number(header.subspan(148, 8));
  std::int64_t sum = 8 * ' ';
  std::int64_t signed_sum = sum;
  for (std::size_t i = 0; i < kBlock; ++i) {
    if (i >= 148 && i < 156) continue;
    sum += header[i];
    signed_sum += static_cast<std::int8_t>(header[i]);
  }
  return said && (static_cast<std::int64_t>(*said) == sum || static_cast<std::int64_t>(*said) == signed_sum);
}

// The size that a pax record gives to the next member: "LENGTH size=NUMBER\n".
std::optional<std::uint64_t> pax_size(Window& in, Range range) {
  std::string_view text =
      base::as_text(in.at(range.offset, static_cast<std::size_t>(std::min<std::uint64_t>(range.size, 64U << 10))));
  while (!text.empty()) {
    std::size_t length = 0;
    std::size_t at = 0;
    for (; at < text.size() && at < 6 && text[at] >= '0' && text[at] <= '9'; ++at) {
      length = length * 10 + static_cast<std::size_t>(text[at] - '0');
    }
    if (length <= at || length > text.size()) return std::nullopt;
    std::string_view record = text.substr(at, length - at);
    text.remove_prefix(length);
    if (!record.starts_with(" size=")) continue;
    std::uint64_t size = 0;
    for (const char digit : record.substr(6)) {
      if (digit < '0' || digit > '9' || size > 1ULL << 58) break;
      size = size * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return size;
  }
  return std::nullopt;
}

// Whether records of a pax header chain: it is text that says its own length.
bool pax_holds(Window& in, Range range) {
  const std::string_view text =
      base::as_text(in.at(range.offset, static_cast<std::size_t>(std::min<std::uint64_t>(range.size, 64U << 10))));
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t length = 0;
    std::size_t digits = at;
    for (; digits < text.size() && digits < at + 6 && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
      length = length * 10 + static_cast<std::size_t>(text[digits] - '0');
    }
    if (text[at] == '\0') return true;
    if (length <= digits - at || digits >= text.size() || text[digits] != ' ') return false;
    if (length > text.size() - at) return range.size > text.size();
    at += length;
  }
  return true;
}

// Contents of these types are none, whatever the size says: links, devices, folders, FIFOs.
bool has_contents(std::uint8_t type) { return type < '1' || type > '6'; }

std::string name_of(base::ByteSpan header) {
  const std::string_view name = base::as_text(header.first(100));
  return std::string(name.substr(0, name.find('\0')));
}

// Old GNU sparse files: further blocks of their map follow the header.
std::uint64_t sparse_blocks(Window& in, std::uint64_t offset) {
  std::uint64_t count = 0;
  bool more = in.byte(offset + 482) == 1;
  while (more && count < 4096) more = in.byte(offset + kBlock * ++count + 504) == 1;
  return count * kBlock;
}

}  // namespace

bool recognise(Window& in) {
  const auto header = in.whole(0, kBlock);
  if (!header || is_zero(*header) || !checksum_holds(*header)) return false;
  if (base::as_text(header->subspan(257)).starts_with("ustar")) return true;
  // v7 has no magic: then numbers where numbers are to be, nothing behind them, and a name.
  for (const std::size_t at : {100U, 108U, 116U}) {
    if (!number(header->subspan(at, 8))) return false;
  }
  return number(header->subspan(124, 12)) && number(header->subspan(136, 12)) && (*header)[0] > ' ' &&
         is_zero(header->subspan(345, 155));
}

Report check(Window& in, Budget& budget) {
  Report report;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> real_size;  // of the next member, by a pax header
  std::string last;
  while (offset < in.size()) {
    if (!budget.spend(kBlock)) return over_budget();
    const auto header = in.whole(offset, kBlock);
    if (!header) return broken(in.size(), "the file ends within a header");
    if (is_zero(*header)) break;
    if (!checksum_holds(*header)) {
      return broken(offset, last.empty() ? "the checksum of the first header is wrong"
                                         : "there is no header behind member " + base::printable(last));
    }
    const std::uint8_t type = (*header)[156];
    last = name_of(*header);
    const auto said = number(header->subspan(124, 12));
    if (!said) return broken(offset, "the size of member " + base::printable(last) + " is none");
    const bool extension = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    std::uint64_t size = has_contents(type) ? *said : 0;
    if (!extension && real_size && has_contents(type)) size = *real_size;
    if (!extension) real_size.reset();
    offset += kBlock;
    if (type == 'S') offset += sparse_blocks(in, offset - kBlock);
    if (offset > in.size() || size > in.size() - offset) {
      return broken(in.size(), "the file ends within member " + base::printable(last));
    }
    const Range contents{offset, size};
    if (type == 'x' || type == 'g') {
      if (!pax_holds(in, contents)) return broken(offset, "the extended header of the next member is damaged");
      if (type == 'x') real_size = pax_size(in, contents);
    } else if (!extension && !nested::check_member(in, contents, budget, report, last)) {
      return report;
    }
    // Some writers do not fill the last block.
    offset += std::min<std::uint64_t>((size + kBlock - 1) / kBlock * kBlock, in.size() - offset);
  }
  // Behind the end there are zeros, up to a tape's block, and sometimes what was there before.
  std::uint64_t zeros = offset;
  while (zeros < in.size()) {
    const base::ByteSpan bytes = in.at(zeros, 64U << 10);
    if (bytes.empty() || !budget.spend(bytes.size())) break;
    if (!is_zero(bytes)) {
      add_stretch(report.stretches, {{zeros, in.size() - zeros}, Density::kPlain});
      break;
    }
    zeros += bytes.size();
  }
  return report;
}

}  // namespace kura::detect::tar
