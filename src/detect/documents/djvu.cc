// By "Lizardtech DjVu Reference" 3: chapters 8 (file structure) and 9 (chunks).
#include "detect/documents/djvu.h"

#include <algorithm>
#include <string>
#include <vector>

namespace kura::detect::djvu {
namespace {

constexpr std::uint64_t kHead = 12;

bool known_chunk(std::string_view id) {
  for (const std::string_view known : {"DIRM", "NAVM", "INFO", "INCL", "Djbz", "Sjbz", "Smmr", "BG44", "FG44", "FGbz",
                                       "TXTa", "TXTz", "ANTa", "ANTz", "TH44", "BGjp", "FGjp", "BG2k", "FG2k", "WMRM",
                                       "LTAa", "LTAz", "METz", "METa", "CIDa", "PM44", "BM44", "NDIR", "FORM"}) {
    if (id == known) return true;
  }
  return false;
}

bool known_form(std::string_view id) {
  return id == "DJVU" || id == "DJVM" || id == "DJVI" || id == "THUM" || id == "BM44" || id == "PM44";
}

}  // namespace

bool recognise(Window& in) { return in.has(0, "AT&TFORM") && known_form(base::as_text(in.at(kHead, 4))); }

// Chunks begin at even offsets; a form is entered, so all chunks are met in one pass.
Report check(Window& in, Budget& budget) {
  const std::uint64_t length = in.big32(8).value_or(0);
  const std::uint64_t end = kHead + length;
  if (end > in.size()) return broken(in.size(), "it ends early: its header says " + std::to_string(length) + " bytes");
  std::vector<Stretch> stretches;
  for (std::uint64_t at = kHead + 4; end - std::min(at, end) >= 8;) {
    if (!budget.spend(64)) return over_budget();
    const std::string id(base::as_text(in.at(at, 4)));
    const std::uint64_t size = in.big32(at + 4).value_or(0);
    if (!known_chunk(id) || size > end - at - 8) {
      return broken(at, "there is no chunk where one must begin, at " + std::to_string(at));
    }
    if (id == "FORM") {
      if (size < 4 || !known_form(base::as_text(in.at(at + 8, 4)))) return broken(at, "a page of it is damaged");
      at += 12;
      continue;
    }
    if (id == "INFO" && size < 5) return broken(at, "the size of a page is damaged");
    const bool text = id == "INCL" || id == "TXTa" || id == "ANTa";
    add_stretch(stretches, {{at + 8, size}, text ? Density::kPlain : Density::kDense});
    at += 8 + size + size % 2;
  }
  return whole(std::move(stretches));
}

}  // namespace kura::detect::djvu
