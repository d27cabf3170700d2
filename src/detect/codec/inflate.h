// DEFLATE (RFC 1951) and its wrappings, streamed out of a window, by ISA-L.
#pragma once

#include <cstdint>
#include <functional>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect {

enum class InflateEnd : std::uint8_t {
  kDone,       // the stream ended where its codes say, its own checksum (zlib: Adler-32) right
  kBroken,     // codes or checksum that no compressor writes
  kEndsEarly,  // the range ended before the stream
  kOverBudget,
};

struct Inflated {
  InflateEnd end = InflateEnd::kDone;
  std::uint64_t used = 0;   // bytes of the range, up to the end or to where it broke (there at most 64 KiB too many)
  std::uint64_t made = 0;   // bytes unpacked
  std::uint32_t crc32 = 0;  // of the unpacked bytes, as zip, gzip and PNG count it
};

enum class Wrapping : std::uint8_t { kRaw, kZlib };

// Takes what was unpacked, in order, in pieces of at most 64 KiB; false ends it (as kDone). Must not use the window.
using Sink = std::function<bool(base::ByteSpan)>;

// Unpacks the stream that begins at the range's offset. Spends what it reads and makes. Costs about a second a GB made.
Inflated inflate(Window& in, Range range, Wrapping wrapping, Budget& budget, const Sink& sink = {});

// CRC-32 (ISO 3309) of `bytes`, going on from `before`.
std::uint32_t crc32(base::ByteSpan bytes, std::uint32_t before = 0);
// Of a stretch of the file; spends its size. Bytes that are not there are left out.
std::uint32_t crc32(Window& in, Range range, Budget& budget, std::uint32_t before = 0);

}  // namespace kura::detect
