// ASN.1 in DER and BER (X.690), walked without a schema: tags, lengths that fill each other exactly, and what the
// universal types ask of their contents.
#pragma once

#include <cstdint>
#include <optional>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::der {

// The head of a value.
struct Head {
  std::uint8_t tag = 0;       // class, constructed bit and number, as they stand there; high numbers as 31
  std::uint64_t content = 0;  // offset of the contents
  std::uint64_t size = 0;     // of the contents; kUntilEnd: up to an end-of-contents
};
inline constexpr std::uint64_t kUntilEnd = ~0ULL;

std::optional<Head> read_head(Window& in, std::uint64_t offset);

// Proves the value at `offset`, and all in it, down to 64 levels. Moves `offset` behind it. False when it is broken
// (`offset` is then where) or the budget is spent. Octet strings of 64 bytes or more are added to `stretches`.
bool walk(Window& in, std::uint64_t& offset, std::uint64_t end, Budget& budget, std::vector<Stretch>* stretches);

}  // namespace kura::detect::der
