// Text around Base64: "-----BEGIN LABEL-----", headers, lines of Base64, "-----END LABEL-----" (RFC 7468; RFC 1421 for
// headers; RFC 9580, section 6, with its checksum of 24 bits).
#pragma once

#include <cstdint>
#include <string>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::armour {

inline constexpr std::size_t kHeadMost = 1U << 20;

struct Block {
  std::string label;
  base::Bytes head;        // what the Base64 says, at most kHeadMost
  bool whole = false;      // whether that is all
  bool encrypted = false;  // "Proc-Type: 4,ENCRYPTED"
  // When it is none:
  std::uint64_t wrong_at = 0;
  std::string evidence;
};

// Whether a block begins in the line at `offset`.
bool begins(Window& in, std::uint64_t offset);
// Reads the block that begins in the line at `offset`, and moves `offset` behind its last line. False when it is
// damaged, or the budget is spent.
bool read(Window& in, std::uint64_t& offset, Budget& budget, Block& block);

// A line at `offset`, without its end; moves `offset` behind it. Lines of more than 64 KiB come in pieces.
std::string_view next_line(Window& in, std::uint64_t& offset);

}  // namespace kura::detect::armour
