// By "Unofficial (Preliminary) HTML Help Specification" (M. Russotto, P. Wise).
#include "detect/documents/chm.h"

#include <algorithm>
#include <string>

namespace kura::detect::chm {
namespace {

struct Number {
  std::uint64_t value = 0;
  std::size_t size = 0;  // 0: it does not end
};

// Seven bits a byte, the highest first.
Number number(base::ByteSpan bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 9); ++i) {
    value = value << 7 | (bytes[i] & 0x7F);
    if (bytes[i] < 0x80) return {value, i + 1};
  }
  return {};
}

// Names with three numbers each, up to what the chunk says is free.
bool listing_holds(base::ByteSpan chunk) {
  const std::uint64_t free = little<std::uint32_t>(chunk, 4);
  if (free > chunk.size() - 20) return false;
  const std::size_t end = chunk.size() - static_cast<std::size_t>(free);
  std::size_t at = 20;
  while (at < end) {
    const Number name = number(chunk.subspan(at));
    if (name.size == 0 || name.value > end - at) return false;
    at += name.size + static_cast<std::size_t>(name.value);
    for (int i = 0; i < 3; ++i) {
      if (at >= end) return false;
      const Number next = number(chunk.subspan(at));
      if (next.size == 0) return false;
      at += next.size;
    }
  }
  return at == end;
}

Report directory(Window& in, std::uint64_t at, Budget& budget) {
  const std::uint64_t head = in.little32(at + 8).value_or(0);
  const std::uint64_t size = in.little32(at + 16).value_or(0);
  const std::uint64_t count = in.little32(at + 44).value_or(0);
  if (!in.has(at, "ITSP") || size < 64 || size > (64U << 10) || head > 4096)
    return broken(at, "its directory is damaged");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t place = at + head + i * size;
    const base::ByteSpan chunk = in.at(place, static_cast<std::size_t>(size));
    if (!budget.spend(size)) return over_budget();
    if (chunk.size() < size) return broken(in.size(), "it ends early, in its directory");
    const std::string_view kind = base::as_text(chunk.first(4));
    if (kind != "PMGI" && (kind != "PMGL" || !listing_holds(chunk))) {
      return broken(place, "chunk " + std::to_string(i + 1) + " of its directory is damaged");
    }
  }
  return whole();
}

}  // namespace

bool recognise(Window& in) {
  return in.has(0, "ITSF") && in.little32(4).value_or(99) <= 4 && in.little32(8).value_or(0) >= 0x58;
}

Report check(Window& in, Budget& budget) {
  const std::uint64_t first = in.little64(0x38).value_or(0);
  const std::uint64_t place = in.little64(0x48).value_or(0);
  const std::uint64_t length = in.little64(0x50).value_or(0);
  if (first > in.size() || place > in.size() || length > in.size() - place) {
    return broken(in.size(), "it ends early: its header names a directory behind its end");
  }
  const std::uint64_t said = in.little64(first + 8).value_or(0);
  if (said > in.size()) return broken(in.size(), "it ends early: its header says " + std::to_string(said) + " bytes");
  Report report = directory(in, place, budget);
  if (report.finding != Finding::kWhole) return report;
  add_stretch(report.stretches, {{place + length, in.size() - place - length}, Density::kDense});
  return report;
}

}  // namespace kura::detect::chm
