#include "detect/programs/wasm.h"

#include <string>

namespace kura::detect::programs {
namespace wasm {
namespace {

constexpr std::uint8_t kCode = 10, kData = 11, kLastSection = 13;
constexpr std::uint8_t kEnd = 0x0b;  // the last byte of every function's body

// An unsigned LEB128 of at most 32 bits; moves `at` behind it.
std::optional<std::uint64_t> number(Window& in, std::uint64_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const auto byte = in.byte(at);
    if (!byte) return std::nullopt;
    ++at;
    value |= std::uint64_t{*byte & 0x7fU} << shift;
    if ((*byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

// Whether the bodies fill the section exactly; where they do not.
std::optional<std::uint64_t> wrong_body(Window& in, std::uint64_t at, std::uint64_t end, Budget& budget) {
  const auto count = number(in, at);
  if (!count) return at;
  for (std::uint64_t i = 0; i < *count && budget.spend(8); ++i) {
    const std::uint64_t start = at;
    const auto size = number(in, at);
    if (!size || *size == 0 || at > end || *size > end - at || in.byte(at + *size - 1) != kEnd) return start;
    at += *size;
  }
  if (at != end && !budget.spent_out()) return at;
  return std::nullopt;
}

}  // namespace
}  // namespace wasm

bool is_wasm(Window& in) { return in.has(0, std::string_view("\0asm\1\0\0\0", 8)); }

Report check_wasm(Window& in, Budget& budget) {
  std::vector<Stretch> stretches;
  std::uint64_t at = 8;
  while (at < in.size()) {
    if (!budget.spend(8)) return over_budget();
    const std::uint64_t start = at;
    const std::uint8_t id = in.byte(at++).value_or(0xff);
    const auto size = wasm::number(in, at);
    if (id > wasm::kLastSection) return broken(start, "section " + std::to_string(id) + " is none there is");
    if (!size) return broken(start, "a section has no length");
    if (*size > in.size() - at) return broken(in.size(), "it ends early, within section " + std::to_string(id));
    const std::uint64_t end = at + *size;
    if (id == wasm::kCode) {
      const auto wrong = wasm::wrong_body(in, at, end, budget);
      if (wrong) return broken(*wrong, "the bodies of its functions do not follow each other");
    }
    // Data and custom sections may hold anything.
    if (id != 0 && id != wasm::kData) add_stretch(stretches, {{at, *size}, Density::kPlain});
    at = end;
  }
  return whole(std::move(stretches));
}

}  // namespace kura::detect::programs
