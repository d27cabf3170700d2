// gzip (RFC 1952): members one after the other, each with a checksum and a size.
#include <algorithm>

#include "detect/archives/validators.h"
#include "detect/codec/inflate.h"

namespace kura::detect::gzip {
namespace {

constexpr std::uint8_t kHasHeaderCrc = 2;
constexpr std::uint8_t kHasExtra = 4;
constexpr std::uint8_t kHasName = 8;
constexpr std::uint8_t kHasComment = 16;
constexpr std::uint8_t kReserved = 0xE0;

bool is_member(Window& in, std::uint64_t offset) { return in.has(offset, "\x1f\x8b\x08"); }

// Moves `offset` behind a text that ends in zero; false when none ends within 64 KiB.
bool skip_text(Window& in, std::uint64_t& offset) {
  const std::string_view text = base::as_text(in.at(offset, 64U << 10));
  const std::size_t end = text.find('\0');
  if (end == std::string_view::npos) return false;
  offset += end + 1;
  return true;
}

// Moves `offset` behind the header of a member.
bool skip_header(Window& in, std::uint64_t& offset) {
  const auto header = in.whole(offset, 10);
  if (!header || ((*header)[3] & kReserved) != 0) return false;
  const std::uint8_t flags = (*header)[3];
  offset += 10;
  if ((flags & kHasExtra) != 0) {
    const auto length = in.little16(offset);
    if (!length || !in.whole(offset + 2, *length)) return false;
    offset += 2 + std::uint64_t{*length};
  }
  if ((flags & kHasName) != 0 && !skip_text(in, offset)) return false;
  if ((flags & kHasComment) != 0 && !skip_text(in, offset)) return false;
  if ((flags & kHasHeaderCrc) != 0) offset += 2;
  return offset <= in.size();
}

// What stands behind the last member: zeros of a tape's block, a signature, or bytes that belong to nothing, which
// readers skip with a warning.
Report judge_rest(Window& in, std::uint64_t offset, Budget& budget) {
  std::uint64_t at = offset;
  while (at < in.size()) {
    const base::ByteSpan bytes = in.at(at, 64U << 10);
    if (bytes.empty() || !budget.spend(bytes.size())) break;
    if (!std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; })) {
      return whole({{{offset, in.size() - offset}, Density::kPlain}});
    }
    at += bytes.size();
  }
  return whole();
}

}  // namespace

bool recognise(Window& in) { return is_member(in, 0) && (in.byte(3).value_or(0xFF) & kReserved) == 0; }

Report check(Window& in, Budget& budget) {
  std::uint64_t offset = 0;
  for (std::uint64_t member = 1; is_member(in, offset); ++member) {
    const std::string which = member == 1 ? std::string("the stream") : "stream " + std::to_string(member);
    const std::uint64_t start = offset;
    if (!skip_header(in, offset)) return broken(start, "the header of " + which + " is damaged");
    const Inflated got = inflate(in, {offset, in.size() - offset}, Wrapping::kRaw, budget);
    if (got.end == InflateEnd::kOverBudget) return over_budget();
    if (got.end == InflateEnd::kBroken) return broken(offset + got.used, which + " does not unpack");
    if (got.end == InflateEnd::kEndsEarly) return broken(in.size(), which + " ends early");
    offset += got.used;
    const auto trailer = in.whole(offset, 8);
    if (!trailer) return broken(offset, which + " ends early, before its checksum");
    if (little<std::uint32_t>(*trailer) != got.crc32) return broken(offset, "the checksum of " + which + " is wrong");
    if (little<std::uint32_t>(*trailer, 4) != (got.made & 0xFFFFFFFF)) {
      return broken(offset, "the size of " + which + " is wrong");
    }
    offset += 8;
  }
  return judge_rest(in, offset, budget);
}

}  // namespace kura::detect::gzip
