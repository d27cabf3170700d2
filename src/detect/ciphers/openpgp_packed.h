// What a compressed packet of OpenPGP holds (RFC 9580, section 5.6).
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "detect/codec/inflate.h"

namespace kura::detect::openpgp_detail {

struct Packed {
  bool known = false;  // deflated, raw or as zlib; else nothing of what follows is said
  InflateEnd end = InflateEnd::kDone;
  bool fills = false;     // the stream is as long as the packet
  bool complete = false;  // `head` is all of it
  base::Bytes head;       // of what it holds, at most 1 MiB
};

// Of a body that is in one piece: its first byte is the method.
Packed unpack(Window& in, Range body, Budget& budget);

}  // namespace kura::detect::openpgp_detail
