#include "person.h"

#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

#include "crypto/keys.h"
#include "vault/registry/secret_file.h"

namespace kura::app {

std::string decider(const std::string& who) {
  if (!who.empty()) return who;
  const char* user = std::getenv("SUDO_USER");
  if (user == nullptr) user = std::getenv("USER");
  return user != nullptr ? std::string(user) : fmt::format("uid {}", ::getuid());
}

void add_person_options(CLI::App& command, PersonOptions& options) {
  command.add_option("--who", options.who, "Name of the operator (the user)")->type_name("NAME");
  command.add_option("--key", options.key_file, "His key, from `kura-vault operator new-key`")
      ->required()
      ->type_name("FILE");
}

base::Result<boost::json::object> signed_by(const PersonOptions& options, base::ByteSpan text) {
  const base::Key seed = KURA_TRY(vault::read_seed(options.key_file));
  return boost::json::object{{"who", decider(options.who)},
                             {"signature", base::to_hex(crypto::ed25519_sign(seed, text))}};
}

}  // namespace kura::app
