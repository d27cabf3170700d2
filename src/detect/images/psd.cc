// Sections chain by their lengths, resources are 8BIM blocks, and the merged picture is proven by its rows' lengths or
// is a stretch. Layers' pixels are a dense stretch: they are not looked at.
#include "detect/images/psd.h"

#include <string>

namespace kura::detect::psd {
namespace {

const char* resources(Window& in, Range range, Budget& budget) {
  std::uint64_t at = range.offset;
  while (range.end() - at >= 12) {
    if (!budget.spend(32)) return nullptr;
    if (!in.has(at, "8BIM") && !in.has(at, "MeSa") && !in.has(at, "AgHg") && !in.has(at, "PHUT") &&
        !in.has(at, "DCSR")) {
      return "there is no image resource where one has to be";
    }
    const std::uint64_t name = (1ULL + in.byte(at + 6).value_or(0) + 1) & ~1ULL;
    const std::uint64_t size = (std::uint64_t{in.big32(at + 6 + name).value_or(0)} + 1) & ~1ULL;
    if (10 + name > range.end() - at || size > range.end() - at - 10 - name + 1)
      return "an image resource goes beyond its section";
    at += 10 + name + size;
    if (at > range.end()) break;
  }
  return nullptr;
}

// PackBits rows: their lengths come first and add up to the rest of the file.
Report picture(Window& in, std::uint64_t at, bool large, Budget& budget, std::vector<Stretch> stretches) {
  const std::uint64_t rows = std::uint64_t{in.big16(12).value_or(0)} * in.big32(14).value_or(0);
  const std::uint64_t bits = in.big16(22).value_or(0);
  const std::uint64_t width = (std::uint64_t{in.big32(18).value_or(0)} * bits + 7) / 8;
  if (width > 1U << 24 || rows > 1U << 24) return broken(12, "a picture of an impossible size");
  const auto packing = in.big16(at);
  if (!packing) return broken(at, "the file ends early, before the merged picture");
  if (*packing > 3) return broken(at, "a merged picture packed in a way that does not exist");
  at += 2;
  if (*packing == 0) {
    if (rows * width > in.size() - at) return broken(in.size(), "the file ends early, within the merged picture");
    add_stretch(stretches, {{at, in.size() - at}, Density::kPlain, kBytesOfSamples});
    return whole(std::move(stretches));
  }
  if (*packing != 1) {
    add_stretch(stretches, {{at, in.size() - at}, Density::kDense});
    return whole(std::move(stretches));
  }
  const unsigned field = large ? 4 : 2;
  std::vector<std::uint32_t> lengths;
  if (rows * field > in.size() - at || rows > 1U << 20)
    return rows > 1U << 20 ? whole(std::move(stretches)) : broken(at, "the file ends early, within the merged picture");
  for (std::uint64_t i = 0; i < rows; ++i)
    lengths.push_back(large ? in.big32(at + 4 * i).value_or(0) : in.big16(at + 2 * i).value_or(0));
  at += rows * field;
  for (const std::uint32_t length : lengths) {
    if (length > in.size() - at) return broken(at, "the file ends early, within the merged picture");
    if (length > 1U << 20 || !budget.spend(length + 16)) return over_budget();
    const base::ByteSpan row = in.at(at, length);
    std::uint64_t made = 0;
    std::size_t i = 0;
    while (i < row.size()) {
      const std::uint8_t code = row[i];
      made += code < 0x80 ? code + 1U : code == 0x80 ? 0U : 257U - code;
      i += code < 0x80 ? code + 2U : code == 0x80 ? 1U : 2U;
    }
    if (made != width || i != row.size()) return broken(at, "a row of the merged picture does not unpack to its width");
    at += length;
  }
  return whole(std::move(stretches));
}

}  // namespace

bool recognise(Window& in) {
  return in.has(0, std::string_view("8BPS\0\1\0\0\0\0\0\0", 12)) ||
         in.has(0, std::string_view("8BPS\0\2\0\0\0\0\0\0", 12));
}

Report check(Window& in, Budget& budget) {
  const bool large = in.big16(4) == 2;
  std::uint64_t at = 26;
  std::vector<Stretch> stretches;
  for (int section = 0; section < 3; ++section) {
    const bool wide = large && section == 2;
    const auto size = wide ? in.big64(at) : std::optional<std::uint64_t>(in.big32(at));
    at += wide ? 8 : 4;
    if (!size || at > in.size() || *size > in.size() - at) return broken(at, "the file ends early, within a section");
    if (section == 1) {
      if (const char* wrong = resources(in, {at, *size}, budget)) return broken(at, wrong);
    }
    add_stretch(stretches, {{at, *size}, Density::kDense});
    at += *size;
  }
  return budget.spent_out() ? over_budget() : picture(in, at, large, budget, std::move(stretches));
}

}  // namespace kura::detect::psd
