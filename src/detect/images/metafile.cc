// Records chain by their sizes to the record of the end. What lies within one large record (a bitmap) is not looked at.
#include "detect/images/metafile.h"

namespace kura::detect::metafile {
namespace {

constexpr std::uint64_t kLarge = 1024;

Report records(Window& in, Budget& budget, std::uint64_t at, bool emf) {
  std::vector<Stretch> stretches;
  while (budget.spend(32)) {
    const std::uint64_t least = emf ? 8 : 6;
    if (at > in.size() || in.size() - at < least)
      return broken(in.size(), "the file ends early, without a record of the end");
    const std::uint64_t size = emf ? in.little32(at + 4).value_or(0) : 2ULL * in.little32(at).value_or(0);
    const std::uint32_t type = emf ? in.little32(at).value_or(0) : in.little16(at + 4).value_or(0);
    if (size < least || (emf && size % 4 != 0)) return broken(at, "a record of an impossible size");
    if (emf ? type == 0 || type > 122 : (type & 0xFFU) > 0x4F && type > 0x0FFF)
      return broken(at, "a record of a type that does not exist");
    if (size > in.size() - at) return broken(in.size(), "the file ends early, within a record");
    if (size >= kLarge) add_stretch(stretches, {{at + least, size - least}, Density::kDense});
    at += size;
    if (emf ? type == 14 : type == 0) return whole(std::move(stretches));
  }
  return over_budget();
}

}  // namespace

bool recognise_wmf(Window& in) {
  const std::uint64_t at = in.has(0, "\xD7\xCD\xC6\x9A") ? 22 : 0;
  const std::uint16_t version = in.little16(at + 4).value_or(0);
  return (in.little16(at) == 1 || in.little16(at) == 2) && in.little16(at + 2) == 9 &&
         (version == 0x0300 || version == 0x0100);
}

Report check_wmf(Window& in, Budget& budget) {
  return records(in, budget, in.has(0, "\xD7\xCD\xC6\x9A") ? 40 : 18, false);
}

bool recognise_emf(Window& in) { return in.little32(0) == 1U && in.has(40, " EMF"); }

Report check_emf(Window& in, Budget& budget) { return records(in, budget, 0, true); }

}  // namespace kura::detect::metafile
