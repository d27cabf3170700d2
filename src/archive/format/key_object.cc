#include "archive/format/key_object.h"

#include <algorithm>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/format/object_head.h"
#include "base/codec.h"
#include "crypto/aead.h"
#include "crypto/random.h"

namespace kura::archive {
namespace {

using base::ErrorCode;

constexpr std::string_view kKeyMagic = "KURAKEYS";
constexpr std::string_view kTheKey = "the key object";
constexpr std::uint8_t kRecoverySlotType = 1;
constexpr std::uint8_t kMachineType = 2;
constexpr std::size_t kSealedSecretSize = 32 + crypto::kTagSize;

void encode_beginning(base::Encoder& out, std::uint8_t type, const store::ObjectId& config, std::int64_t created,
                      std::string_view label) {
  encode_head(out, kKeyMagic);
  out.u8(type).raw(config.span()).i64(created).string(label);
}

crypto::Aead slot_aead(const base::Key& key) { return crypto::Aead(crypto::AeadKind::kChaCha20Poly1305, key); }

RecoverySlot decode_slot(base::Decoder& in, base::ByteSpan object) {
  RecoverySlot slot;
  in.copy(slot.salt);
  slot.cost.passes = in.u32();
  slot.cost.memory_kib = in.u32();
  const base::ByteSpan before = object.first(in.position());
  slot.associated.assign(before.begin(), before.end());
  const base::ByteSpan sealed = in.raw(kSealedSecretSize);
  slot.sealed.assign(sealed.begin(), sealed.end());
  return slot;
}

std::unexpected<base::Error> of_another_config() {
  return base::fail(ErrorCode::kNotFound, fmt::format("{} belongs to another repository", kTheKey));
}

}  // namespace

base::Result<base::Key> RecoverySlot::open(std::string_view passphrase) const {
  const base::Key key = KURA_TRY(crypto::key_from_passphrase(passphrase, salt, cost));
  base::Key recovery;
  if (sealed.size() != kSealedSecretSize ||
      !slot_aead(key).open(crypto::Nonce::counter(0), associated, sealed, recovery.writable())) {
    return base::fail(ErrorCode::kWrongKey, "the passphrase is wrong");
  }
  return recovery;
}

base::Result<base::Bytes> RecoverySlot::seal(const store::ObjectId& config, std::int64_t created,
                                             std::string_view label, const base::Key& recovery,
                                             std::string_view passphrase, const crypto::PassphraseCost& cost) {
  if (label.size() > kNameLimit) {
    return base::fail(ErrorCode::kUsage,
                      fmt::format("the label of a key has {} bytes, and {} are the most", label.size(), kNameLimit));
  }
  const base::Bytes salt = crypto::random_bytes(crypto::kPassphraseSaltSize);
  const base::Key key = KURA_TRY(crypto::key_from_passphrase(passphrase, salt, cost));
  base::Encoder out;
  encode_beginning(out, kRecoverySlotType, config, created, label);
  out.raw(salt).u32(cost.passes).u32(cost.memory_kib);
  base::Key text = recovery;
  std::array<std::uint8_t, crypto::kTagSize> tag{};
  slot_aead(key).seal(crypto::Nonce::counter(0), out.bytes(), text.writable(), tag);
  out.raw(text.span()).raw(tag);
  return out.take();
}

base::Bytes MachineCertificate::encode(const base::Key& signing_seed) const {
  base::Encoder out;
  encode_beginning(out, kMachineType, config, created, std::string_view(label).substr(0, kNameLimit));
  out.raw(machine);
  out.raw(crypto::ed25519_sign(signing_seed, out.bytes()));
  return out.take();
}

base::Result<KeyObject> decode_key_object(base::ByteSpan object, const store::ObjectId& config,
                                          const crypto::PublicKey& signing_key) {
  base::Decoder in(object);
  KURA_TRY(decode_head(in, kKeyMagic, kKeyLimit, kTheKey));
  const std::uint8_t type = in.u8();
  const store::ObjectId its_config = in.digest();
  const std::int64_t created = in.i64();
  std::string label = in.text(kNameLimit);

  if (type == kRecoverySlotType) {
    RecoverySlot slot = decode_slot(in, object);
    KURA_TRY(in.finish(kTheKey));
    if (its_config != config) return of_another_config();
    slot.config = its_config;
    slot.created = created;
    slot.label = std::move(label);
    return slot;
  }
  if (type == kMachineType) {
    MachineCertificate certificate{.config = its_config, .created = created, .label = std::move(label)};
    in.copy(certificate.machine);
    const std::size_t signed_size = in.position();
    const base::ByteSpan signature = in.raw(sizeof(crypto::Signature));
    KURA_TRY(in.finish(kTheKey));
    if (its_config != config) return of_another_config();
    if (!crypto::ed25519_verify(signing_key, object.first(signed_size), signature)) {
      return damaged(kTheKey, "the recovery key has not signed this machine certificate");
    }
    return certificate;
  }
  if (!in.ok()) KURA_TRY(in.finish(kTheKey));
  return base::fail(ErrorCode::kUnsupported,
                    fmt::format("{} is of type {}, which this program does not know", kTheKey, type),
                    "use a newer kura");
}

}  // namespace kura::archive
