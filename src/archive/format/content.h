// Where a stream of bytes lies: chunks, or chunks of chunk ids (docs/format.md, section 8).
#pragma once

#include <cstdint>
#include <vector>

#include "archive/format/pack.h"

namespace kura::archive {

struct ContentRef {
  std::uint8_t depth = 0;
  std::vector<ChunkId> ids;

  friend bool operator==(const ContentRef&, const ContentRef&) = default;
  void encode(base::Encoder& out) const;
  static ContentRef decode(base::Decoder& in);  // to the end of `in`; fails through it
};

}  // namespace kura::archive
