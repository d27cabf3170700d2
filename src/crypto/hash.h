// SHA-256, HMAC-SHA-256 and HKDF-SHA-256 (FIPS 180-4, RFC 2104, RFC 5869), by OpenSSL. None of them fails on input;
// an OpenSSL that cannot do them at all ends the program.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace kura::crypto {

using base::Bytes;
using base::ByteSpan;
using base::Digest;
using base::Key;

Digest sha256(ByteSpan bytes);

// SHA-256 over a stream. Not shared between threads.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteSpan bytes);
  Digest finish();  // and starts anew

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// HMAC-SHA-256 under one key, keyed once and used for many messages: about two SHA-256 blocks beyond the message.
// Not shared between threads; clone() for another thread.
class HmacSha256 {
 public:
  explicit HmacSha256(const Key& key);
  ~HmacSha256();
  HmacSha256(HmacSha256&&) noexcept;
  HmacSha256& operator=(HmacSha256&&) noexcept;
  HmacSha256 clone() const;
  Digest mac(ByteSpan message);
  // Of `first` and `second` one after the other, as one message.
  Digest mac(ByteSpan first, ByteSpan second);

 private:
  HmacSha256();
  struct State;
  std::unique_ptr<State> state_;
};

// HKDF extract and expand. `size` <= 255 * 32 bytes.
Bytes hkdf(ByteSpan input_key, ByteSpan salt, ByteSpan info, std::size_t size);
// The same for the usual 32 bytes.
Key hkdf_key(ByteSpan input_key, ByteSpan salt, std::string_view info);
// The two steps alone, for protocols that name them (HPKE). `out` has at most 255 * 32 bytes.
Key hkdf_extract(ByteSpan salt, ByteSpan input_key);
void hkdf_expand(const Key& pseudorandom_key, ByteSpan info, base::MutableByteSpan out);

// Compares in time that does not depend on the contents.
bool equal_constant_time(ByteSpan a, ByteSpan b);

}  // namespace kura::crypto
