// The validators of this folder, one pair of functions a kind (see Kind), each in the file of its name. An attacker may
// put the header of any of these before what he has encrypted, so each asks for all that its format has.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect {

#define KURA_DETECT_VALIDATOR(name)         \
  namespace name {                          \
  bool recognise(Window& in);               \
  Report check(Window& in, Budget& budget); \
  }

KURA_DETECT_VALIDATOR(age)
KURA_DETECT_VALIDATOR(ansible_vault)
KURA_DETECT_VALIDATOR(cms)
KURA_DETECT_VALIDATOR(git_crypt)
KURA_DETECT_VALIDATOR(keepass)
KURA_DETECT_VALIDATOR(luks)
KURA_DETECT_VALIDATOR(openpgp)
KURA_DETECT_VALIDATOR(openssl_enc)
KURA_DETECT_VALIDATOR(pem)
KURA_DETECT_VALIDATOR(pgp_armour)
KURA_DETECT_VALIDATOR(pkcs12)
KURA_DETECT_VALIDATOR(s_expression)
KURA_DETECT_VALIDATOR(x509)

#undef KURA_DETECT_VALIDATOR

}  // namespace kura::detect
