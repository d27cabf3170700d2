// Writing and reading the stored formats: little-endian integers, LEB128 varints, length-prefixed byte strings.
//
// A Decoder is made for hostile bytes: every read is bounded, the first failure sticks (all later reads give zero or
// empty), and the caller asks once at the end with finish() or at any point with ok(). Counts that size an
// allocation go through count(), which refuses more items than the remaining bytes could hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::base {

class Encoder {
 public:
  Encoder& u8(std::uint8_t value);
  Encoder& u16(std::uint16_t value);
  Encoder& u32(std::uint32_t value);
  Encoder& u64(std::uint64_t value);
  Encoder& i64(std::int64_t value);      // two's complement, little-endian
  Encoder& varint(std::uint64_t value);  // LEB128, shortest form, 1 to 10 bytes
  Encoder& zigzag(std::int64_t value);   // zigzag, then varint
  Encoder& raw(ByteSpan bytes);
  Encoder& string(ByteSpan bytes);  // varint length, then the bytes
  Encoder& string(std::string_view text) { return string(as_bytes(text)); }

  const Bytes& bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  Bytes take() { return std::move(bytes_); }
  void clear() { bytes_.clear(); }

 private:
  Bytes bytes_;
};

class Decoder {
 public:
  explicit Decoder(ByteSpan bytes) : rest_(bytes), size_(bytes.size()) {}

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();
  std::int64_t i64();
  std::uint64_t varint();  // refuses overlong and over-wide forms
  std::int64_t zigzag();
  ByteSpan raw(std::size_t count);     // a view into the input
  ByteSpan string(std::size_t limit);  // varint length <= limit, then the bytes; a view into the input
  std::string text(std::size_t limit) { return std::string(as_text(string(limit))); }
  Digest digest();
  void copy(MutableByteSpan out);  // out.size() bytes; `out` is left alone when it fails
  // A varint number of items that take at least `bytes_each` (>= 1) bytes each.
  std::size_t count(std::size_t bytes_each);

  bool ok() const { return problem_ == nullptr; }
  void fail(const char* problem) {
    if (ok()) {
      problem_ = problem;
      rest_ = {};
    }
  }
  bool at_end() const { return rest_.empty(); }
  ByteSpan rest() const { return rest_; }
  std::size_t position() const { return size_ - rest_.size(); }

  // kDamaged with `what` and the first problem; also when bytes are left over.
  Status finish(std::string_view what) const;

 private:
  ByteSpan rest_;
  std::size_t size_;
  const char* problem_ = nullptr;
};

}  // namespace kura::base
