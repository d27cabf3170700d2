// Views of an input, through one buffer: what every validator reads by.
//
//   const base::ByteSpan head = in.at(0, 8);
//   if (head.size() < 8) ...                       // the file is shorter
//   std::uint32_t length = in.big32(offset).value_or(0);
//
// A validator never sees a read error: after one, everything reads as absent, and the judge, which asks `error()` at
// the end, says `unknown`.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "detect/input/input.h"

namespace kura::detect {

// A stretch of a file, bytes.
struct Range {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  std::uint64_t end() const { return offset + size; }
  friend bool operator==(const Range&, const Range&) = default;
};

// Not to be shared by threads. Holds one buffer of at most kMost bytes, from the first view on. Reading forward costs
// one read of the input for each 256 KiB; a view that lies in the buffer costs nothing.
class Window {
 public:
  static constexpr std::size_t kMost = 1U << 20;     // bytes of one view
  static constexpr std::size_t kAhead = 256U << 10;  // bytes read at a time

  explicit Window(Input& input) : input_(&input) {}

  std::uint64_t size() const { return input_->size(); }
  // The bytes from `offset` on, `length` (at most kMost) of them or as many as there are. Valid until the next call of
  // anything here. Any offset may be asked for.
  base::ByteSpan at(std::uint64_t offset, std::size_t length);
  // The whole of `length` bytes, or nothing.
  std::optional<base::ByteSpan> whole(std::uint64_t offset, std::size_t length);
  bool has(std::uint64_t offset, std::string_view bytes) { return base::as_text(at(offset, bytes.size())) == bytes; }

  // Numbers; nothing when the file ends before them.
  std::optional<std::uint8_t> byte(std::uint64_t offset);
  std::optional<std::uint16_t> little16(std::uint64_t offset);
  std::optional<std::uint32_t> little32(std::uint64_t offset);
  std::optional<std::uint64_t> little64(std::uint64_t offset);
  std::optional<std::uint16_t> big16(std::uint64_t offset);
  std::optional<std::uint32_t> big32(std::uint64_t offset);
  std::optional<std::uint64_t> big64(std::uint64_t offset);

  // The first error of the input, if there was one.
  const std::optional<base::Error>& error() const { return error_; }

 private:
  Input* input_;
  base::Bytes buffer_;
  std::uint64_t start_ = 0;  // of the buffer's bytes in the file
  std::size_t filled_ = 0;
  std::optional<base::Error> error_;
};

// The same numbers in bytes that are there; `offset + width` must lie in `bytes`.
template <typename Number>
Number little(base::ByteSpan bytes, std::size_t offset = 0) {
  Number number = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) number = static_cast<Number>(number << 8 | bytes[offset + i]);
  return number;
}
template <typename Number>
Number big(base::ByteSpan bytes, std::size_t offset = 0) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) number = static_cast<Number>(number << 8 | bytes[offset + i]);
  return number;
}
template <>
inline std::uint8_t little(base::ByteSpan bytes, std::size_t offset) {
  return bytes[offset];
}
template <>
inline std::uint8_t big(base::ByteSpan bytes, std::size_t offset) {
  return bytes[offset];
}

}  // namespace kura::detect
