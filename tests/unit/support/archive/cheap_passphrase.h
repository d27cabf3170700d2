// What a passphrase costs in tests that are not about its cost: it is recorded in the slot, as in any other.
#pragma once

#include "crypto/passphrase.h"

namespace kura::archive::test {

inline constexpr crypto::PassphraseCost kCheapPassphrase{.passes = 1, .memory_kib = 8};

}  // namespace kura::archive::test
