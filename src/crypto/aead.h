// Authenticated encryption: AES-256-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439), by OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::crypto {

// The numbers are stored (docs/format.md).
enum class AeadKind : std::uint8_t { kAes256Gcm = 1, kChaCha20Poly1305 = 2 };
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kNonceSize = 12;

// AES-256-GCM where the processor has AES instructions, else ChaCha20-Poly1305.
AeadKind preferred_aead();
// Whether `value` is one of the kinds above: for readers of stored bytes.
bool is_aead_kind(std::uint8_t value);

// The nonce for the counter-th message under one key: the counter as u64 little-endian, then four zero bytes.
struct Nonce {
  std::array<std::uint8_t, kNonceSize> bytes{};
  static Nonce counter(std::uint64_t value);
};

// One key, many messages; the caller never repeats a nonce. Not shared between threads.
class Aead {
 public:
  Aead(AeadKind kind, const base::Key& key);
  ~Aead();
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;

  // Encrypts `text` in place and writes the tag (kTagSize bytes) to `tag`.
  void seal(const Nonce& nonce, base::ByteSpan associated, base::MutableByteSpan text, base::MutableByteSpan tag);
  // Decrypts `sealed` (text, then tag) into `text` (sealed.size() - kTagSize bytes; may be the same memory). False,
  // and `text` zeroed, when the tag does not match.
  [[nodiscard]] bool open(const Nonce& nonce, base::ByteSpan associated, base::ByteSpan sealed,
                          base::MutableByteSpan text);

  // The same, for small messages: returns text and tag, or the text.
  base::Bytes seal(const Nonce& nonce, base::ByteSpan associated, base::ByteSpan text);
  [[nodiscard]] std::optional<base::Bytes> open(const Nonce& nonce, base::ByteSpan associated, base::ByteSpan sealed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kura::crypto
