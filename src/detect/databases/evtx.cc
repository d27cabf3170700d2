// By libevtx's "Windows XML Event Log (EVTX) format": sections 2 (file header), 3 (chunk), 4 (event record).
#include "detect/databases/evtx.h"

#include <algorithm>
#include <string>

#include "detect/codec/inflate.h"

namespace kura::detect::evtx {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kHead = 4096;
constexpr std::size_t kChunk = 64U << 10;
constexpr std::size_t kChunkHead = 512;

bool is_zero(base::ByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t c) { return c == 0; });
}

// Records say their size at both ends and follow each other; behind the last one there may be anything that was there
// before. Whether they reach `end`.
bool records_reach(base::ByteSpan chunk, std::size_t end) {
  std::size_t at = kChunkHead;
  while (at < end) {
    if (chunk.size() - at < 28 || little<std::uint32_t>(chunk, at) != 0x00002A2A) return false;
    const std::size_t size = little<std::uint32_t>(chunk, at + 4);
    if (size < 28 || size > chunk.size() - at) return false;
    if (little<std::uint32_t>(chunk, at + size - 4) != size) return false;
    at += size;
  }
  return true;
}

bool chunk_sums(base::ByteSpan chunk) {
  const std::size_t end = little<std::uint32_t>(chunk, 48);
  if (end < kChunkHead || end > chunk.size()) return false;
  const std::uint32_t head = crc32(chunk.subspan(128, kChunkHead - 128), crc32(chunk.first(120)));
  return head == little<std::uint32_t>(chunk, 124) &&
         crc32(chunk.subspan(kChunkHead, end - kChunkHead)) == little<std::uint32_t>(chunk, 52) &&
         records_reach(chunk, end);
}

// While the log is open, the checksums of the chunk that is written to, and what its header says, are late.
bool may_be_open(base::ByteSpan chunk) {
  const std::size_t end = little<std::uint32_t>(chunk, 48);
  return end >= kChunkHead && end <= chunk.size() && records_reach(chunk, end) &&
         little<std::uint32_t>(chunk, 40) == 128;
}

}  // namespace

bool recognise(Window& in) { return in.has(0, "ElfFile\0"sv); }

Report check(Window& in, Budget& budget) {
  const base::ByteSpan head = in.at(0, 128);
  if (head.size() < 128 || in.size() < kHead) return broken(in.size(), "it ends early, in its header");
  const bool dirty = (head[120] & 1) != 0;
  if (crc32(head.first(120)) != little<std::uint32_t>(head, 124))
    return broken(124, "the checksum of its header is wrong");
  const std::uint64_t said = little<std::uint16_t>(head, 42);
  const std::uint64_t count = (in.size() - kHead) / kChunk;
  if (said > count && !dirty) {
    return broken(in.size(), "it ends early: its header says " + std::to_string(said) + " chunks");
  }
  std::uint64_t open = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const base::ByteSpan chunk = in.at(kHead + i * kChunk, kChunk);
    if (!budget.spend(kChunk)) return over_budget();
    if (chunk.size() < kChunk) break;
    const bool begins = base::as_text(chunk.first(8)) == "ElfChnk\0"sv;
    if (begins && chunk_sums(chunk)) continue;
    if (begins && dirty && may_be_open(chunk) && ++open <= 1) continue;
    if (is_zero(chunk) && (i >= said || dirty)) continue;  // allotted and not yet used
    return broken(kHead + i * kChunk, "chunk " + std::to_string(i + 1) + " of the log is damaged");
  }
  return whole();
}

}  // namespace kura::detect::evtx
