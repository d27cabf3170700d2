#include "archive/upkeep/key_change.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/time.h"
#include "crypto/random.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;

constexpr std::size_t kLabelLimit = 255;  // bytes (docs/format.md, section 4)
constexpr std::size_t kPrefixDigits = 4;

Status check_label(std::string_view label) {
  if (label.size() <= kLabelLimit) return {};
  return base::fail(ErrorCode::kUsage, fmt::format("a key's label has at most {} bytes", kLabelLimit));
}

}  // namespace

Result<ObjectId> add_recovery_slot(const Repository& repository, std::string_view label, std::string_view passphrase,
                                   const crypto::PassphraseCost& cost) {
  if (passphrase.empty()) return base::fail(ErrorCode::kUsage, "the new passphrase is empty");
  KURA_TRY(check_label(label));
  const RecoverySecrets* secrets = KURA_TRY(repository.need_recovery_secrets());
  const base::Bytes object =
      KURA_TRY(RecoverySlot::seal(repository.config_id(), base::now_ns(), label, secrets->recovery, passphrase, cost));
  const ObjectId id = KURA_TRY(repository.put(Kind::kKey, object));
  KURA_TRY(repository.store().sync());
  return id;
}

Result<std::string> export_recovery_key(const Repository& repository) {
  const RecoverySecrets* secrets = KURA_TRY(repository.need_recovery_secrets());
  return RecoveryKeyFile{.config = repository.config_id(), .recovery = secrets->recovery}.encode();
}

Result<ObjectId> change_passphrase(const Repository& repository, std::string_view old_passphrase,
                                   std::string_view new_passphrase, const crypto::PassphraseCost& cost) {
  KURA_TRY(repository.need_recovery_secrets());
  // All that it opens go, or the old passphrase would still open the repository.
  std::vector<ObjectId> old_slots;
  std::string label;
  for (const auto& [id, slot] : KURA_TRY(repository.keys()).slots) {
    const Result<base::Key> opened = slot.open(old_passphrase);
    if (!opened && opened.error().code() != ErrorCode::kWrongKey) {
      return base::fail(base::Error(opened.error()).within("recovery key " + id.hex()));
    }
    if (!opened) continue;
    old_slots.push_back(id);
    label = slot.label;
  }
  if (old_slots.empty()) {
    return base::fail(ErrorCode::kWrongKey,
                      fmt::format("the old passphrase opens no recovery key of {}", repository.store().describe()));
  }
  // Until the new one is durable the old one opens the repository, and from then on both do until the old one is gone.
  const ObjectId id = KURA_TRY(add_recovery_slot(repository, label, new_passphrase, cost));
  for (const ObjectId& old : old_slots) KURA_TRY(repository.store().remove(Kind::kKey, old));
  KURA_TRY(repository.store().sync());
  return id;
}

namespace {

struct Removal {
  ObjectId id;
  bool is_slot = false;
  std::optional<crypto::PublicKey> machine;  // of a certificate
};

// The one key object whose id begins so.
Result<Removal> find_key(const Repository& repository, const KeyList& keys, std::string_view id_prefix) {
  if (id_prefix.size() < kPrefixDigits) {
    return base::fail(ErrorCode::kUsage, fmt::format("give at least {} digits of the key's id", kPrefixDigits));
  }
  std::vector<Removal> found;
  const auto consider = [&](Removal key) {
    if (key.id.hex().starts_with(id_prefix)) found.push_back(key);
  };
  for (const KeyList::Slot& at : keys.slots) consider({.id = at.id, .is_slot = true, .machine = std::nullopt});
  for (const KeyList::Machine& at : keys.machines) consider({.id = at.id, .machine = at.certificate.machine});
  for (const DamagedObject& at : keys.damaged) consider({.id = at.id, .machine = std::nullopt});
  if (found.empty()) {
    return base::fail(
        ErrorCode::kNotFound,
        fmt::format("no key of {} has an id that begins with {}", repository.store().describe(), id_prefix),
        "see them with `kura key list`");
  }
  if (found.size() > 1) {
    return base::fail(ErrorCode::kUsage,
                      fmt::format("the ids of several keys begin with {}, among them {} and {}", id_prefix,
                                  found[0].id.hex(), found[1].id.hex()),
                      "give more of its digits");
  }
  return found.front();
}

Status keep_last_slot(const Repository& repository, const KeyList& keys, const Removal& key) {
  if (keys.slots.size() > 1) return {};
  return base::fail(
      ErrorCode::kConflict,
      fmt::format("recovery key {} is the last one in {}: without it only a recovery key file opens the repository",
                  key.id.hex(), repository.store().describe()),
      "add another first, or use --force when you have the file");
}

// "3 of host alpha, 1 of host beta"
std::string by_host(const std::vector<StoredSnapshot>& snapshots) {
  std::map<std::string, std::size_t> counts;
  for (const StoredSnapshot& stored : snapshots) {
    ++counts[stored.snapshot.label ? "host " + stored.snapshot.label->host : "a host that is not told"];
  }
  std::string text;
  for (const auto& [host, count] : counts) text += fmt::format("{}{} of {}", text.empty() ? "" : ", ", count, host);
  return text;
}

// Snapshots count only with their machine's certificate: nobody could read them any more.
Status keep_signed_snapshots(const Repository& repository, const KeyList& keys, const Removal& key) {
  const auto same = [&](const KeyList::Machine& at) { return at.certificate.machine == *key.machine; };
  if (std::ranges::count_if(keys.machines, same) > 1) return {};
  std::vector<StoredSnapshot> lost = KURA_TRY(repository.snapshots()).snapshots;
  std::erase_if(lost, [&](const StoredSnapshot& stored) { return stored.snapshot.machine != *key.machine; });
  if (lost.empty()) return {};
  return base::fail(ErrorCode::kConflict,
                    fmt::format("without the machine key {} these snapshots in {} count no more, and nobody can read "
                                "them: {}; the newest is {}, received {}",
                                key.id.hex(), repository.store().describe(), by_host(lost), lost.back().id.hex(),
                                base::format_rfc3339(lost.back().received)),
                    "restore or `kura copy` what you need of them first; then use --force to give them up");
}

// Whether the machine has a key that is to be replaced, since its certificate was removed: it signs nothing that
// counts. kExists for any other key.
Result<bool> has_dropped_key(const Repository& repository, const MachineState& state) {
  const auto exists = [&](const std::string& which, std::string hint) {
    return base::fail(
        ErrorCode::kExists,
        fmt::format("{} has a machine key for {} already{}", state.folder(), repository.store().describe(), which),
        std::move(hint));
  };
  const Result<MachineKey> present = state.load_key();
  if (!present && present.error().code() == ErrorCode::kNotFound) return false;
  if (!present) {
    return exists(fmt::format(", which cannot be used ({})", present.error().message()),
                  "move it away to get a new one");
  }
  if (present->config != repository.config_id()) {
    return exists(", which is of another repository", "move it away to get a new one");
  }
  const KeyList keys = KURA_TRY(repository.keys());
  if (const auto* certified = keys.certificate_of(present->public_key())) {
    return exists(fmt::format(", and its certificate {} is in force", certified->id.hex()), "");
  }
  if (keys.damaged.empty()) return true;
  const ObjectId& unreadable = keys.damaged.front().id;
  return base::fail(ErrorCode::kDamaged,
                    fmt::format("cannot tell whether the machine key in {} still counts in {}: key {} cannot be read",
                                state.folder(), repository.store().describe(), unreadable.hex()),
                    fmt::format("copy it back from another copy of the repository, or remove it with `kura key remove "
                                "{}`; then run this again",
                                unreadable.hex()));
}

}  // namespace

Result<ObjectId> remove_key(const Repository& repository, std::string_view id_prefix, bool force) {
  const KeyList keys = KURA_TRY(repository.keys());
  const Removal key = KURA_TRY(find_key(repository, keys, id_prefix));
  if (key.is_slot && !force) KURA_TRY(keep_last_slot(repository, keys, key));
  if (key.machine && !force) KURA_TRY(keep_signed_snapshots(repository, keys, key));
  KURA_TRY(repository.store().remove(Kind::kKey, key.id));
  KURA_TRY(repository.store().sync());
  return key.id;
}

Result<ObjectId> add_machine(const Repository& repository, const std::string& state_folder, std::string_view label) {
  KURA_TRY(check_label(label));
  const RecoverySecrets* secrets = KURA_TRY(repository.need_recovery_secrets());
  const MachineState state = KURA_TRY(MachineState::open(state_folder, repository.config_id(), /*create=*/true));
  const bool replace = KURA_TRY(has_dropped_key(repository, state));
  const MachineKey key{
      .config = repository.config_id(), .write = secrets->write.write, .signing_seed = crypto::random_key()};
  const MachineCertificate certificate{.config = repository.config_id(),
                                       .created = base::now_ns(),
                                       .label = std::string(label),
                                       .machine = key.public_key()};
  // The certificate first: a key without one would sign snapshots that do not count.
  const ObjectId id = KURA_TRY(repository.put(Kind::kKey, certificate.encode(secrets->signing)));
  KURA_TRY(repository.store().sync());
  KURA_TRY(replace ? state.replace_key(key) : state.save_key(key));
  return id;
}

}  // namespace kura::archive
