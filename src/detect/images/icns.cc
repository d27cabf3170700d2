#include "detect/images/icns.h"

#include <algorithm>

namespace kura::detect::icns {
namespace {

constexpr std::uint64_t kHead = 8;  // of the file and of an element: a type, and how long it is with this

bool is_type(base::ByteSpan type) {
  return std::ranges::all_of(type, [](std::uint8_t byte) { return byte >= ' ' && byte < 0x7f; });
}

}  // namespace

bool recognise(Window& in) {
  const auto head = in.whole(0, 2 * kHead);
  return head && base::as_text(*head).starts_with("icns") && is_type(head->subspan(kHead, 4));
}

Report check(Window& in, Budget& budget) {
  const std::uint64_t size = in.big32(4).value_or(0);
  if (size > in.size()) return broken(in.size(), "the file ends early");
  Report report;
  std::uint64_t at = kHead;
  while (at < size) {
    const auto head = in.whole(at, kHead);
    if (!budget.spend(kHead)) return over_budget();
    if (!head || !is_type(head->first(4))) return broken(at, "there is no picture where one has to be");
    const std::uint64_t length = big<std::uint32_t>(*head, 4);
    if (length < kHead || length > size - at) return broken(at, "a picture of an impossible size");
    add_stretch(report.stretches, {{at + kHead, length - kHead}, Density::kDense});
    at += length;
  }
  return report;
}

}  // namespace kura::detect::icns
