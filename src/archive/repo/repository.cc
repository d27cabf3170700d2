#include "archive/repo/repository.h"

#include <algorithm>
#include <chrono>
#include <tuple>

#include <fmt/format.h>

#include "archive/repo/find_config.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;

std::int64_t now_by_system_clock() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Config new_config(const RepositoryId& repository, const RecoverySecrets& secrets) {
  Config config;
  config.repository = repository;
  config.created = now_by_system_clock();
  config.box_key = crypto::x25519_public(secrets.box);
  config.signing_key = crypto::ed25519_public(secrets.signing);
  return config;
}

Status check_new(store::Store& store, const Repository::NewRepository& how) {
  if (how.state_folder.empty()) return base::fail(ErrorCode::kUsage, "a new repository needs a state folder");
  if (how.passphrase && how.passphrase->empty()) return base::fail(ErrorCode::kUsage, "the passphrase is empty");
  if (!KURA_TRY(store.list(Kind::kConfig)).empty()) {
    return base::fail(ErrorCode::kExists, fmt::format("{} is a repository already", store.describe()));
  }
  if (!KURA_TRY(store.list(Kind::kSnapshot)).empty()) {
    return base::fail(ErrorCode::kExists,
                      fmt::format("{} has snapshots of a repository whose config is gone", store.describe()),
                      "copy the config back from another copy of the repository");
  }
  return {};
}

}  // namespace

Result<Repository> Repository::open(std::shared_ptr<store::Store> store, const std::string& state_folder,
                                    const std::optional<store::ObjectId>& config) {
  FoundConfig found = KURA_TRY(find_config(*store, state_folder, config));
  Repository repository;
  repository.store_ = std::move(store);
  repository.config_ = std::move(found.config);
  repository.config_id_ = found.id;
  if (!state_folder.empty()) repository.load_machine(state_folder);
  return repository;
}

Result<std::vector<store::ObjectId>> Repository::whole_configs(store::Store& store) {
  std::vector<store::ObjectId> ids;
  for (const FoundConfig& found : KURA_TRY(find_whole_configs(store))) ids.push_back(found.id);
  return ids;
}

// What is wrong with the machine's own key must not keep anybody from the backups.
void Repository::load_machine(const std::string& state_folder) {
  Result<MachineState> state = MachineState::open(state_folder, config_id_, /*create=*/false);
  if (!state) {
    if (state.error().code() != ErrorCode::kNotFound) machine_problem_ = std::move(state).error();
    return;
  }
  machine_state_ = *std::move(state);
  Result<MachineKey> key = machine_state_->load_key();
  if (!key) {
    if (key.error().code() != ErrorCode::kNotFound) machine_problem_ = std::move(key).error();
  } else if (key->config != config_id_) {
    machine_problem_ = base::Error(
        ErrorCode::kDamaged, fmt::format("the machine key in {} is for another repository", machine_state_->folder()));
  } else {
    machine_ = *key;
    write_ = WriteSecrets::derive(key->write, config_.repository);
  }
}

Result<Repository> Repository::create(std::shared_ptr<store::Store> store, const NewRepository& how) {
  KURA_TRY(check_new(*store, how));
  Repository repository;
  repository.store_ = std::move(store);
  RepositoryId id;
  crypto::fill_random(id);
  const RecoverySecrets secrets = RecoverySecrets::derive(crypto::random_key(), id);
  repository.config_ = new_config(id, secrets);
  repository.config_.parity = how.parity;
  const base::Bytes config = repository.config_.encode(secrets.signing);
  repository.config_id_ = crypto::sha256(config);
  repository.recovery_ = secrets;
  repository.write_ = secrets.write;
  const std::int64_t created = repository.config_.created;

  if (how.passphrase) {
    KURA_TRY(repository.put(Kind::kKey, KURA_TRY(RecoverySlot::seal(repository.config_id_, created, "first",
                                                                    secrets.recovery, *how.passphrase, how.cost))));
  }
  repository.machine_ =
      MachineKey{.config = repository.config_id_, .write = secrets.write.write, .signing_seed = crypto::random_key()};
  const MachineCertificate certificate{.config = repository.config_id_,
                                       .created = created,
                                       .label = how.machine_label,
                                       .machine = repository.machine_->public_key()};
  KURA_TRY(repository.put(Kind::kKey, certificate.encode(secrets.signing)));
  repository.machine_state_ = KURA_TRY(MachineState::open(how.state_folder, repository.config_id_, /*create=*/true));
  KURA_TRY(repository.machine_state_->save_key(*repository.machine_));
  // The config last: with it the repository is there, whole.
  KURA_TRY(repository.store_->sync());
  KURA_TRY(repository.put(Kind::kConfig, config));
  KURA_TRY(repository.store_->sync());
  return repository;
}

const WriteSecrets* Repository::write_secrets() const { return write_ ? &*write_ : nullptr; }
const RecoverySecrets* Repository::recovery_secrets() const { return recovery_ ? &*recovery_ : nullptr; }

Result<const WriteSecrets*> Repository::need_write_secrets() const {
  if (write_) return &*write_;
  if (machine_problem_) return base::fail(*machine_problem_);
  return base::fail(ErrorCode::kWrongKey, fmt::format("this machine has no key for {}", store_->describe()),
                    "give the state folder that `kura init` used (--state-dir), or the passphrase of the recovery key; "
                    "to back up, give the machine a new key with `kura key add --machine`");
}

Result<const RecoverySecrets*> Repository::need_recovery_secrets() const {
  if (recovery_) return &*recovery_;
  return base::fail(ErrorCode::kWrongKey, fmt::format("{} can be read only with its recovery key", store_->describe()),
                    "give its passphrase or its key file");
}

Status Repository::unlock(const base::Key& recovery) {
  RecoverySecrets secrets = RecoverySecrets::derive(recovery, config_.repository);
  if (crypto::x25519_public(secrets.box) != config_.box_key ||
      crypto::ed25519_public(secrets.signing) != config_.signing_key) {
    return base::fail(ErrorCode::kWrongKey, fmt::format("this recovery key does not belong to {}", store_->describe()));
  }
  if (machine_ && !crypto::equal_constant_time(machine_->write.span(), secrets.write.write.span())) {
    machine_.reset();
    machine_problem_ =
        base::Error(ErrorCode::kDamaged,
                    fmt::format("the machine key in {} is not the one of its repository", machine_state_->folder()));
  }
  write_ = secrets.write;
  recovery_ = std::move(secrets);
  return {};
}

Status Repository::unlock_with_passphrase(std::string_view passphrase) {
  KeyList list = KURA_TRY(keys());
  if (list.slots.empty() && !list.damaged.empty()) return base::fail(list.damaged.front().error);
  if (list.slots.empty()) {
    return base::fail(ErrorCode::kNotFound,
                      fmt::format("no passphrase opens {}: it keeps no recovery key", store_->describe()),
                      list.none() ? kUnfinishedCopy : "give the recovery key file that was written when it was made");
  }
  // The cheap ones first, so that a costly one that somebody puts there does not keep the right one waiting.
  std::ranges::sort(list.slots, {}, [](const KeyList::Slot& at) {
    return std::tuple(std::uint64_t{at.slot.cost.passes} * at.slot.cost.memory_kib, at.id);
  });
  std::optional<base::Error> untried;
  for (const auto& [id, slot] : list.slots) {
    Result<base::Key> recovery = slot.open(passphrase);
    if (recovery && unlock(*recovery)) return {};
    if (!recovery && recovery.error().code() != ErrorCode::kWrongKey && !untried) {
      untried = std::move(recovery).error().within("recovery key " + id.hex());
    }
  }
  if (untried && list.slots.size() == 1) return base::fail(*std::move(untried));
  return base::fail(ErrorCode::kWrongKey,
                    fmt::format("the passphrase opens no recovery key of {}{}", store_->describe(),
                                untried ? "; one could not be tried: " + untried->message() : ""),
                    untried ? untried->hint() : "");
}

Status Repository::unlock_with_key_file(std::string_view text) {
  const RecoveryKeyFile file = KURA_TRY(RecoveryKeyFile::decode(text));
  if (file.config != config_id_) {
    return base::fail(ErrorCode::kWrongKey,
                      fmt::format("this recovery key file is for another repository than {}", store_->describe()),
                      fmt::format("it names the config {}; here {} is in force", file.config.hex(), config_id_.hex()));
  }
  return unlock(file.recovery);
}

Result<store::ObjectId> Repository::put(Kind kind, base::ByteSpan object) const {
  const store::ObjectId id = crypto::sha256(object);
  KURA_TRY(store_->put(kind, id, object));
  return id;
}

}  // namespace kura::archive
