// WindowScan::find() in registers of 32 and 64 bytes, for processors that have them. Each is compiled for its processor
// in a file of its own, which includes nothing whose code others could come to use.
#pragma once

#include "archive/backup/window_scan.h"

namespace kura::archive {

// From where to look on byte by byte: no wanted place lies behind `at` and not behind the answer, and the first wanted
// place, if there is one, is less than a register away.
const std::uint8_t* scan_avx2(const WindowScan::Tables& tables, std::uint16_t mask, const std::uint8_t* at,
                              const std::uint8_t* end);
const std::uint8_t* scan_avx512(const WindowScan::Tables& tables, std::uint16_t mask, const std::uint8_t* at,
                                const std::uint8_t* end);

// The tables as the instructions want them: a byte of each entry apart.
struct TablePlanes {
  alignas(16) std::uint8_t high[2][16], low[2][16];

  explicit TablePlanes(const WindowScan::Tables& tables) {
    for (unsigned i = 0; i < 16; ++i) {
      for (unsigned plane = 0; plane < 2; ++plane) {
        high[plane][i] = static_cast<std::uint8_t>(tables.high.data()[i] >> (8 * plane));
        low[plane][i] = static_cast<std::uint8_t>(tables.low.data()[i] >> (8 * plane));
      }
    }
  }
};

// Half a register of places: their H1, H2, H4 and H8, of which the next half needs the last ones.
template <typename Isa>
struct WindowSums {
  using Words = typename Isa::Words;
  Words of_1{}, of_2{}, of_4{}, of_8{};

  // The sums of the half behind this one, whose H1 is `next_1`; and its hashes H16.
  Words advance(Words next_1) {
    const Words next_2 = next_1 + (Isa::template last_of<1>(of_1, next_1) << 1);
    const Words next_4 = next_2 + (Isa::template last_of<2>(of_2, next_2) << 2);
    const Words next_8 = next_4 + (Isa::template last_of<4>(of_4, next_4) << 4);
    const Words hashes = next_8 + (Isa::template last_of<8>(of_8, next_8) << 8);
    of_1 = next_1;
    of_2 = next_2;
    of_4 = next_4;
    of_8 = next_8;
    return hashes;
  }
};

template <typename Isa>
const std::uint8_t* scan(const WindowScan::Tables& tables, std::uint16_t mask, const std::uint8_t* at,
                         const std::uint8_t* end) {
  const Isa isa(TablePlanes(tables), mask);
  constexpr long kHalf = Isa::kBytes / 2;
  if (end - at < Isa::kBytes) return at;
  WindowSums<Isa> sums;
  typename Isa::Words first, second;
  // Of the half before, only what the last 8 places say is needed, which is right whatever came before it.
  isa.first_sums(at - kHalf, first, second);
  sums.advance(first);
  while (end - at >= Isa::kBytes) {
    isa.first_sums(at, first, second);
    const typename Isa::Words hashes = sums.advance(first);
    const typename Isa::Words more = sums.advance(second);
    if (isa.any_wanted(hashes, more)) return at;
    at += Isa::kBytes;
  }
  return at;
}

}  // namespace kura::archive
