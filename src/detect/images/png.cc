// Every byte of the file is under a chunk's CRC-32, so the pixels need not be unpacked: a CRC that is right says more.
#include "detect/images/png.h"

#include <algorithm>
#include <string>

#include "base/escape.h"
#include "detect/codec/inflate.h"

namespace kura::detect::png {
namespace {

constexpr std::uint64_t kSignature = 8;

bool is_type(base::ByteSpan type) {
  return std::ranges::all_of(type, [](std::uint8_t c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

std::string name_of(base::ByteSpan type) { return "chunk " + base::printable(base::as_text(type)); }

// The chunk's number of bytes, or what is wrong with it.
Report one_chunk(Window& in, std::uint64_t at, std::uint64_t& length, std::string& type, Budget& budget) {
  const base::ByteSpan head = in.at(at, 8);
  if (head.size() < 8) return broken(in.size(), "the file ends early, without an IEND chunk");
  length = big<std::uint32_t>(head);
  if (!is_type(head.subspan(4))) return broken(at, "there is no chunk where one has to be");
  type = std::string(base::as_text(head.subspan(4)));
  const std::string name = name_of(head.subspan(4));
  if (length > in.size() - at - 8 || in.size() - at - 8 - length < 4) {
    return broken(in.size(), "the file ends early, within " + name);
  }
  const std::uint32_t sum = crc32(in, {at + 4, length + 4}, budget);
  if (budget.spent_out()) return over_budget();
  if (in.big32(at + 8 + length) != sum) return broken(at, "the checksum of " + name + " is wrong");
  return whole();
}

}  // namespace

bool recognise(Window& in) {
  return in.has(0, "\x89PNG\r\n\x1A\n") || in.has(0, "\x8AMNG\r\n\x1A\n") || in.has(0, "\x8BJNG\r\n\x1A\n");
}

Report check(Window& in, Budget& budget) {
  std::uint64_t at = kSignature;
  bool pixels = false;
  const bool plain = in.byte(0) == 0x89;
  while (budget.spend(32)) {
    std::uint64_t length = 0;
    std::string type;
    Report report = one_chunk(in, at, length, type, budget);
    if (report.finding != Finding::kWhole) return report;
    if (plain && at == kSignature && type != "IHDR" && type != "CgBI") {
      return broken(at, "the first chunk is not IHDR");
    }
    pixels = pixels || type == "IDAT";
    at += 12 + length;
    if (type == "IEND" || type == "MEND") {
      if (plain && !pixels) return broken(at, "there is no IDAT chunk");
      break;
    }
  }
  if (budget.spent_out()) return over_budget();
  // Some programs hide notes behind the end.
  std::vector<Stretch> stretches;
  if (at < in.size()) add_stretch(stretches, {{at, in.size() - at}, Density::kDense});
  return whole(std::move(stretches));
}

}  // namespace kura::detect::png
