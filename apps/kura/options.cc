#include "options.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "store/store.h"

namespace kura::app {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

std::string Context::state_folder() const {
  if (!options.state_folder.empty()) return options.state_folder;
  if (geteuid() == 0) return "/var/lib/kura";
  if (const std::string xdg = environment("XDG_STATE_HOME"); !xdg.empty()) return xdg + "/kura";
  return environment("HOME") + "/.local/state/kura";
}

base::Status Context::need_repository_name() const {
  if (!options.repository.empty()) return {};
  return base::fail(base::ErrorCode::kUsage, "no repository is named", "Say -r REPOSITORY or set KURA_REPO");
}

base::Result<Passphrase> Context::passphrase() const {
  return find_passphrase(options.passphrase_file, "Passphrase of the recovery key: ", stop);
}

// Only a help in finding the config: a key file that is not there, or is another repository's, stops nobody who does
// not need the key, and unlock() tells the others.
std::optional<store::ObjectId> Context::config_of_key_file(store::Store& store) const {
  if (options.recovery_key_file.empty()) return std::nullopt;
  const auto text = read_text_file(options.recovery_key_file);
  if (!text) return std::nullopt;
  const auto file = archive::RecoveryKeyFile::decode(*text);
  if (!file || !store.stat(store::Kind::kConfig, file->config)) return std::nullopt;
  return file->config;
}

base::Result<archive::Repository> Context::open(bool may_ask, std::optional<std::chrono::seconds> patience,
                                                bool emergency) const {
  KURA_TRY(need_repository_name());
  store::OpenOptions how = store_options(patience);
  how.emergency = emergency;
  const std::shared_ptr<store::Store> store = KURA_TRY(store::open_store(options.repository, how));
  auto repository = archive::Repository::open(store, state_folder(), config_of_key_file(*store));
  if (repository || !options.recovery_key_file.empty()) return repository;
  if (!may_ask && !passphrase_is_given(options.passphrase_file)) return repository;
  if (KURA_TRY(archive::Repository::whole_configs(*store)).size() < 2) return repository;
  return archive::Repository::open_with_passphrase(store, state_folder(), KURA_TRY(passphrase()).text());
}

base::Result<archive::Repository> Context::open_unlocked(std::optional<std::chrono::seconds> patience) const {
  auto repository = KURA_TRY(open(/*may_ask=*/true, patience));
  // By the passphrase, to find its config.
  if (repository.recovery_secrets() == nullptr) KURA_TRY(unlock(repository));
  return repository;
}

base::Status Context::unlock(archive::Repository& repository) const {
  if (!options.recovery_key_file.empty()) {
    const std::string text = KURA_TRY(read_text_file(options.recovery_key_file));
    return repository.unlock_with_key_file(text);
  }
  return repository.unlock_with_passphrase(KURA_TRY(passphrase()).text());
}

base::Status Context::unlock_if_given(archive::Repository& repository) const {
  if (options.recovery_key_file.empty() && !passphrase_is_given(options.passphrase_file)) return {};
  return unlock(repository);
}

base::Result<std::string> read_text_file(const std::string& path) {
  constexpr std::size_t kLimit = 1 << 16;
  std::ifstream in(path, std::ios::binary);
  if (!in) return base::fail(base::Error::from_errno("cannot read " + path, errno));
  std::string text(kLimit, '\0');
  in.read(text.data(), kLimit);
  if (in.bad()) return base::fail(base::Error::from_errno("cannot read " + path, errno));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() == kLimit) return base::fail(base::ErrorCode::kUsage, path + " is too large for a key or passphrase");
  return text;
}

}  // namespace kura::app
