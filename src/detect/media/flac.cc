// Frames have no length: the next one is found by its sync code and the CRC-8 of its header, and what lies between
// has to have the right CRC-16.
#include "detect/media/flac.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace kura::detect::flac {
namespace {

constexpr std::size_t kMostFrame = 1U << 19;  // more than any real one: 65,535 samples are rare

// Eight tables, so that eight bytes are taken at once; polynomial 0x8005, high bits first.
constexpr auto kSum16 = [] {
  std::array<std::array<std::uint16_t, 256>, 8> tables{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned sum = i << 8U;
    for (int k = 0; k < 8; ++k) sum = (sum << 1U ^ ((sum & 0x8000U) != 0 ? 0x8005U : 0U)) & 0xFFFFU;
    tables[0][i] = static_cast<std::uint16_t>(sum);
  }
  for (unsigned t = 1; t < 8; ++t) {
    for (unsigned i = 0; i < 256; ++i) {
      const unsigned before = tables[t - 1][i];
      tables[t][i] = static_cast<std::uint16_t>((before << 8U & 0xFFFFU) ^ tables[0][before >> 8U]);
    }
  }
  return tables;
}();

std::uint16_t sum16(base::ByteSpan bytes, std::uint16_t sum) {
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    sum = static_cast<std::uint16_t>(kSum16[7][p[0] ^ sum >> 8U] ^ kSum16[6][p[1] ^ (sum & 0xFFU)] ^ kSum16[5][p[2]] ^
                                     kSum16[4][p[3]] ^ kSum16[3][p[4]] ^ kSum16[2][p[5]] ^ kSum16[1][p[6]] ^
                                     kSum16[0][p[7]]);
  }
  for (; left > 0; --left, ++p) sum = static_cast<std::uint16_t>((sum << 8U) ^ kSum16[0][(sum >> 8U ^ *p) & 0xFFU]);
  return sum;
}

std::uint8_t sum8(base::ByteSpan bytes) {
  unsigned sum = 0;
  for (const std::uint8_t byte : bytes) {
    sum ^= byte;
    for (int k = 0; k < 8; ++k) sum = (sum << 1U ^ ((sum & 0x80U) != 0 ? 7U : 0U)) & 0xFFU;
  }
  return static_cast<std::uint8_t>(sum);
}

// The length of the frame header that `bytes` begin with, or 0 when there is none.
std::size_t header(base::ByteSpan bytes) {
  if (bytes.size() < 6 || bytes[0] != 0xFF || (bytes[1] & 0xFEU) != 0xF8) return 0;
  const unsigned block = bytes[2] >> 4U;
  const unsigned rate = bytes[2] & 15U;
  if (block == 0 || rate == 15 || (bytes[3] >> 4U) > 10 || (bytes[3] & 1U) != 0) return 0;
  std::size_t length = 4;
  const auto ones = static_cast<std::size_t>(std::countl_one(bytes[4]));
  if (ones == 1 || ones == 8) return 0;
  length += std::max<std::size_t>(ones, 1);
  length += block == 6 ? 1 : block == 7 ? 2 : 0;
  length += rate == 12 ? 1 : rate > 12 ? 2 : 0;
  if (bytes.size() <= length) return 0;
  return bytes[length] == sum8(bytes.first(length)) ? length + 1 : 0;
}

// The length of the frame at the beginning of `bytes`, or 0 when none with a right checksum ends within them.
std::size_t frame(base::ByteSpan bytes, bool last_view) {
  std::size_t done = 0;
  std::uint16_t sum = 0;
  std::size_t i = 6;
  while (i + 16 < bytes.size()) {
    const void* const found = std::memchr(bytes.data() + i, 0xFF, bytes.size() - 16 - i);
    if (found == nullptr) break;
    i = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
    if (header(bytes.subspan(i, 16)) != 0) {
      sum = sum16(bytes.subspan(done, i - done), sum);
      done = i;
      if (sum == 0) return i;  // with its own checksum, the sum of a frame is zero
    }
    ++i;
  }
  return last_view && sum16(bytes.subspan(done), sum) == 0 ? bytes.size() : 0;
}

// After the metadata blocks; 0 when they do not chain.
std::uint64_t frames_begin(Window& in, Budget& budget) {
  std::uint64_t at = 4;
  while (budget.spend(16)) {
    const auto head = in.big32(at);
    if (!head || (*head >> 24U & 127U) > 32) return 0;
    at += 4 + (*head & 0xFFFFFF);
    if (at > in.size()) return 0;
    if (*head >> 31U != 0) return at;
  }
  return 0;
}

}  // namespace

bool recognise(Window& in) {
  return in.has(0, std::string_view("fLaC\0\0\0\x22", 8)) || in.has(0, std::string_view("fLaC\x80\0\0\x22", 8));
}

Report check(Window& in, Budget& budget) {
  std::uint64_t at = frames_begin(in, budget);
  if (at == 0) return budget.spent_out() ? over_budget() : broken(4, "the metadata blocks do not chain");
  std::vector<Stretch> stretches;
  if (at > 4096) add_stretch(stretches, {{42, at - 42}, Density::kDense});
  std::uint64_t end = in.size();
  if (end - at >= 128 && in.has(end - 128, "TAG")) end -= 128;
  while (at < end) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kMostFrame, end - at));
    const base::ByteSpan bytes = in.at(at, std::min<std::size_t>(wanted, 64U << 10));
    if (header(bytes.first(std::min<std::size_t>(bytes.size(), 16))) == 0)
      return broken(at, "there is no frame where one has to be");
    std::size_t length = frame(bytes, bytes.size() == end - at);
    if (length == 0 && bytes.size() < wanted) length = frame(in.at(at, wanted), wanted == end - at);
    if (!budget.spend(length + 64)) return over_budget();
    if (length == 0) return broken(at, "the checksum of a frame is wrong");
    at += length;
  }
  return whole(std::move(stretches));
}

}  // namespace kura::detect::flac
