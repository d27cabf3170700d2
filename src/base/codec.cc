#include "base/codec.h"

#include <algorithm>

#include <fmt/format.h>

namespace kura::base {
namespace {

template <typename T>
void append_little_endian(Bytes& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i)));
  }
}

template <typename T>
T load_little_endian(ByteSpan bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  return static_cast<T>(value);
}

}  // namespace

Encoder& Encoder::u8(std::uint8_t value) {
  bytes_.push_back(value);
  return *this;
}

Encoder& Encoder::u16(std::uint16_t value) {
  append_little_endian(bytes_, value);
  return *this;
}

Encoder& Encoder::u32(std::uint32_t value) {
  append_little_endian(bytes_, value);
  return *this;
}

Encoder& Encoder::u64(std::uint64_t value) {
  append_little_endian(bytes_, value);
  return *this;
}

Encoder& Encoder::i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }

Encoder& Encoder::varint(std::uint64_t value) {
  while (value >= 0x80) {
    bytes_.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  bytes_.push_back(static_cast<std::uint8_t>(value));
  return *this;
}

Encoder& Encoder::zigzag(std::int64_t value) {
  return varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

Encoder& Encoder::raw(ByteSpan bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Encoder& Encoder::string(ByteSpan bytes) { return varint(bytes.size()).raw(bytes); }

ByteSpan Decoder::raw(std::size_t count) {
  if (count > rest_.size()) {
    fail("it ends too early");
    return {};
  }
  const ByteSpan taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

// A failed raw() is empty, and loads as zero.
std::uint8_t Decoder::u8() { return load_little_endian<std::uint8_t>(raw(1)); }
std::uint16_t Decoder::u16() { return load_little_endian<std::uint16_t>(raw(2)); }
std::uint32_t Decoder::u32() { return load_little_endian<std::uint32_t>(raw(4)); }
std::uint64_t Decoder::u64() { return load_little_endian<std::uint64_t>(raw(8)); }
std::int64_t Decoder::i64() { return static_cast<std::int64_t>(u64()); }

std::uint64_t Decoder::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = u8();
    if (!ok()) return 0;
    if (shift == 63 && byte > 1) break;  // more than 64 bits
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    if (byte == 0 && shift > 0) {
      // One number, one form: otherwise two byte strings would mean the same and have different names.
      fail("a number is not in its shortest form");
      return 0;
    }
    return value;
  }
  fail("a number is wider than 64 bits");
  return 0;
}

std::int64_t Decoder::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

ByteSpan Decoder::string(std::size_t limit) {
  const std::uint64_t size = varint();
  if (size > limit) {
    fail("a string is longer than allowed");
    return {};
  }
  return raw(static_cast<std::size_t>(size));
}

void Decoder::copy(MutableByteSpan out) {
  const ByteSpan bytes = raw(out.size());
  if (ok()) std::ranges::copy(bytes, out.begin());
}

Digest Decoder::digest() {
  const ByteSpan bytes = raw(sizeof(Digest::bytes));
  return ok() ? Digest::from_bytes(bytes) : Digest{};
}

std::size_t Decoder::count(std::size_t bytes_each) {
  const std::uint64_t items = varint();
  if (items > rest_.size() / bytes_each) {
    fail("it promises more items than it has bytes for");
    return 0;
  }
  return static_cast<std::size_t>(items);
}

Status Decoder::finish(std::string_view what) const {
  if (!ok()) return base::fail(ErrorCode::kDamaged, fmt::format("{} is damaged: {}", what, problem_));
  if (!at_end()) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("{} is damaged: {} bytes are left over at its end", what, rest_.size()));
  }
  return {};
}

}  // namespace kura::base
