#include "crypto/passphrase.h"

#include <fmt/format.h>
#include <sodium.h>

#include "crypto/openssl.h"

namespace kura::crypto {
namespace {

constexpr std::size_t kKiB = 1024;
constexpr PassphraseCost kLeastCost{.passes = crypto_pwhash_argon2id_OPSLIMIT_MIN,
                                    .memory_kib = crypto_pwhash_argon2id_MEMLIMIT_MIN / kKiB};

bool is_between(std::uint32_t value, std::uint32_t least, std::uint32_t most) {
  return least <= value && value <= most;
}

base::Status check(const PassphraseCost& cost) {
  if (is_between(cost.passes, kLeastCost.passes, kPassphraseCostLimit.passes) &&
      is_between(cost.memory_kib, kLeastCost.memory_kib, kPassphraseCostLimit.memory_kib)) {
    return {};
  }
  return base::fail(base::ErrorCode::kUnsupported,
                    fmt::format("cannot derive a key from the passphrase: a cost of {} passes over {} KiB is outside "
                                "of {} to {} passes over {} to {} KiB",
                                cost.passes, cost.memory_kib, kLeastCost.passes, kPassphraseCostLimit.passes,
                                kLeastCost.memory_kib, kPassphraseCostLimit.memory_kib));
}

}  // namespace

base::Result<base::Key> key_from_passphrase(std::string_view passphrase, base::ByteSpan salt,
                                            const PassphraseCost& cost) {
  static_assert(kPassphraseSaltSize == crypto_pwhash_argon2id_SALTBYTES);
  KURA_TRY(check(cost));
  if (salt.size() != kPassphraseSaltSize) {
    return base::fail(base::ErrorCode::kUnsupported,
                      fmt::format("cannot derive a key from the passphrase: its salt has {} bytes, not {}", salt.size(),
                                  kPassphraseSaltSize));
  }
  static const bool ready = sodium_init() >= 0;
  require(ready, "sodium_init");

  base::Key key;
  if (crypto_pwhash(key.writable().data(), key.span().size(), passphrase.data(), passphrase.size(), salt.data(),
                    cost.passes, kKiB * cost.memory_kib, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return base::fail(
        base::ErrorCode::kNoSpace,
        fmt::format("cannot derive a key from the passphrase: {} MiB of memory cannot be had", cost.memory_kib / 1024),
        "close other programs or raise the memory limit");
  }
  return key;
}

}  // namespace kura::crypto
