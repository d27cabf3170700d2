// What a person carries from the vault to a machine, once: whom to trust, and a secret that lets the machine in.
//
//   "kura1-" and 96 hex digits: the SHA-256 of the certificate of the vault's authority, and the secret
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::pki {

struct EnrolmentToken {
  base::Digest authority;
  base::Secret<16> secret;

  std::string encode() const;
  // kUsage when it was mistyped: its length, its letters.
  static base::Result<EnrolmentToken> decode(std::string_view text);
};

}  // namespace kura::pki
