// Key objects: recovery slots and machine certificates, and the off-line key file (docs/format.md, section 4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/keys.h"
#include "crypto/passphrase.h"
#include "store/object.h"

namespace kura::archive {

// R under a passphrase.
struct RecoverySlot {
  store::ObjectId config;
  std::int64_t created = 0;
  std::string label;

  std::array<std::uint8_t, crypto::kPassphraseSaltSize> salt{};
  crypto::PassphraseCost cost;
  base::Bytes sealed;      // R and its tag
  base::Bytes associated;  // the object's bytes before `sealed`

  // kWrongKey when the passphrase does not open it. About 0.1 s and 64 MiB on purpose.
  base::Result<base::Key> open(std::string_view passphrase) const;
  // A new slot's object bytes.
  static base::Result<base::Bytes> seal(const store::ObjectId& config, std::int64_t created, std::string_view label,
                                        const base::Key& recovery, std::string_view passphrase,
                                        const crypto::PassphraseCost& cost);
};

// The recovery key's word that a machine may write.
struct MachineCertificate {
  store::ObjectId config;
  std::int64_t created = 0;
  std::string label;
  crypto::PublicKey machine{};

  base::Bytes encode(const base::Key& signing_seed) const;
};

using KeyObject = std::variant<RecoverySlot, MachineCertificate>;

// A certificate's signature is checked against `signing_key` (of the config in force); an object for another config
// is kNotFound.
base::Result<KeyObject> decode_key_object(base::ByteSpan object, const store::ObjectId& config,
                                          const crypto::PublicKey& signing_key);

// The text of an off-line key file, and back. kWrongKey when it is for another repository, kDamaged when mistyped.
struct RecoveryKeyFile {
  store::ObjectId config;
  base::Key recovery;

  std::string encode() const;
  static base::Result<RecoveryKeyFile> decode(std::string_view text);
};

}  // namespace kura::archive
