// Key objects, recovery key files and machine key files.
#include "archive/format/key_object.h"
#include "archive/repo/machine_key_file.h"
#include "support/fuzz_support.h"

namespace kura {
namespace {

void try_object(base::ByteSpan object) {
  const base::Key seed = fuzz::key_of(1);
  const base::Digest config = base::Digest::from_bytes(base::Bytes(32, 0xc0));
  const auto key = [&] {
    const fuzz::AllocationWatch watch(object.size());
    return archive::decode_key_object(object, config, crypto::ed25519_public(seed));
  }();
  if (!key) return;
  if (const auto* machine = std::get_if<archive::MachineCertificate>(&*key)) {
    fuzz::require(std::ranges::equal(machine->encode(seed), object), "a machine certificate has one form");
  } else {
    const auto& slot = std::get<archive::RecoverySlot>(*key);
    fuzz::require(slot.associated.size() + slot.sealed.size() == object.size(),
                  "a slot is what is sealed and the rest");
  }
}

void try_recovery_file(std::string_view text) {
  const auto file = archive::RecoveryKeyFile::decode(text);
  if (!file) return;
  const auto again = archive::RecoveryKeyFile::decode(file->encode());
  fuzz::require(again && again->config == file->config, "a recovery key file reads back");
}

void try_machine_file(std::string_view text) {
  const auto key = archive::decode_machine_key(text);
  if (!key) return;
  const auto again = archive::decode_machine_key(archive::encode_machine_key(*key));
  fuzz::require(again && again->public_key() == key->public_key(), "a machine key file reads back");
}

}  // namespace

void fuzz::key(base::ByteSpan input) {
  const fuzz::FuzzInput part(input, 3);
  switch (part.choice) {
    case 0:
      try_object(part.bytes);
      try_object(fuzz::signed_anew(part.bytes, fuzz::kNoKey, fuzz::key_of(1)));
      break;
    case 1:
      try_recovery_file(base::as_text(part.bytes));
      break;
    default:
      try_machine_file(base::as_text(part.bytes));
  }
}

}  // namespace kura
