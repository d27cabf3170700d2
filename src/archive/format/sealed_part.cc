#include "archive/format/sealed_part.h"

#include <chrono>

#include "crypto/hash.h"
#include "crypto/random.h"

namespace kura::archive {

Salt fresh_salt(base::ByteSpan sealed) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  base::Encoder head;
  head.raw(crypto::random_bytes(32)).i64(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  crypto::Sha256 hash;
  hash.update(head.bytes());
  hash.update(sealed);
  return hash.finish().bytes;
}

base::Bytes seal_part(crypto::AeadKind aead, const base::Key& key, base::ByteSpan salt, std::string_view info,
                      base::ByteSpan associated, base::ByteSpan text) {
  return crypto::Aead(aead, crypto::hkdf_key(key.span(), salt, info)).seal(crypto::Nonce::counter(0), associated, text);
}

std::optional<base::Bytes> open_part(crypto::AeadKind aead, const base::Key& key, base::ByteSpan salt,
                                     std::string_view info, base::ByteSpan associated, base::ByteSpan sealed) {
  return crypto::Aead(aead, crypto::hkdf_key(key.span(), salt, info))
      .open(crypto::Nonce::counter(0), associated, sealed);
}

crypto::AeadKind decode_aead(base::Decoder& in) {
  const std::uint8_t value = in.u8();
  if (!crypto::is_aead_kind(value)) in.fail("its cipher is none that is known");
  return static_cast<crypto::AeadKind>(value);
}

}  // namespace kura::archive
