// A knock: the one datagram by which a machine asks for a door to be opened to it (docs/vault-api.md, "The door").
// Nobody answers it. It is bound to one vault, signed with the key of the machine's certificate, and good for once:
// its counter has to be larger than that of every one before.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "pki/certificate.h"
#include "pki/private_key.h"

namespace kura::pki {

enum class KnockPurpose : std::uint8_t {
  kJob = 1,        // within the machine's hours
  kEmergency = 2,  // at any time, a few times a day, and it raises an alarm
};

inline constexpr std::size_t kKnockLimit = 1200;  // bytes: one packet on any line

struct Knock {
  KnockPurpose purpose = KnockPurpose::kJob;
  std::uint64_t counter = 0;
  base::Digest authority;   // SHA-256 of the certificate of the vault's authority
  base::Bytes certificate;  // the machine's, DER

  friend bool operator==(const Knock&, const Knock&) = default;

  // `key` is that of the certificate.
  base::Bytes encode(const PrivateKey& key) const;
  // kDamaged when it is none; the signature is not looked at.
  static base::Result<Knock> decode(base::ByteSpan datagram);
};

// Whether a knock that was decoded was signed with the key that `certificate` names.
[[nodiscard]] bool is_knock_signed_by(base::ByteSpan datagram, const Certificate& certificate);

}  // namespace kura::pki
