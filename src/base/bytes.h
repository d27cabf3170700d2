// Byte strings, their hex form, and secrets that wipe themselves.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kura::base {

using Bytes = std::vector<std::uint8_t>;
using ByteSpan = std::span<const std::uint8_t>;
using MutableByteSpan = std::span<std::uint8_t>;

inline ByteSpan as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteSpan bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Bytes of all of them together.
inline std::size_t total_size(std::span<const ByteSpan> parts) {
  std::size_t size = 0;
  for (const ByteSpan part : parts) size += part.size();
  return size;
}

std::string to_hex(ByteSpan bytes);
// nullopt unless `text` is an even number of hex digits (either case).
std::optional<Bytes> from_hex(std::string_view text);

// A 32-byte value that is a name (SHA-256, HMAC-SHA-256), not a secret.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  friend auto operator<=>(const Digest&, const Digest&) = default;
  ByteSpan span() const { return bytes; }
  std::string hex() const { return to_hex(bytes); }
  bool is_zero() const { return *this == Digest{}; }
  // nullopt unless `text` is exactly 64 hex digits.
  static std::optional<Digest> from_hex(std::string_view text);
  // `bytes` must have 32 bytes.
  static Digest from_bytes(ByteSpan bytes) {
    Digest digest;
    std::memcpy(digest.bytes.data(), bytes.data(), digest.bytes.size());
    return digest;
  }
};

// Digests are uniform already, so eight of their bytes are a hash.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const {
    std::size_t value;
    std::memcpy(&value, digest.bytes.data(), sizeof value);
    return value;
  }
};

// N secret bytes, wiped when they go out of scope. Copies are wiped too; they are allowed because keys are small and
// have clear owners. Never printed: there is no hex().
template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(ByteSpan bytes) { std::memcpy(bytes_.data(), bytes.data(), N); }  // `bytes` must have N bytes
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { explicit_bzero(bytes_.data(), N); }

  ByteSpan span() const { return bytes_; }
  MutableByteSpan writable() { return bytes_; }

 private:
  std::array<std::uint8_t, N> bytes_{};
};
using Key = Secret<32>;

}  // namespace kura::base
