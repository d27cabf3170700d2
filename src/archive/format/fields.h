// Numbered fields, each `varint number, varint size, bytes`, in rising order of number (docs/format.md, section 7).
#pragma once

#include <cstdint>

#include "base/codec.h"

namespace kura::archive {

inline void encode_field(base::Encoder& out, std::uint64_t number, base::ByteSpan bytes) {
  out.varint(number).string(bytes);
}

// Reads fields to the end of `in`, and fails through it. `take(number, field)` reads a field of a known number to its
// end and returns true, or returns false for a number it does not know, which is skipped.
template <typename Take>
void decode_fields(base::Decoder& in, Take take) {
  std::uint64_t last = 0;
  while (in.ok() && !in.at_end()) {
    const std::uint64_t number = in.varint();
    const base::ByteSpan bytes = in.string(in.rest().size());
    if (!in.ok()) return;
    if (number <= last) return in.fail("its fields are not in rising order");
    last = number;
    base::Decoder field(bytes);
    if (take(number, field) && !(field.ok() && field.at_end())) in.fail("a field is malformed");
  }
}

}  // namespace kura::archive
