// kura-vault operator new-key | add | remove | list
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "command.h"
#include "crypto/key_text.h"
#include "crypto/random.h"
#include "person.h"
#include "vault/registry/operators.h"
#include "vault/registry/secret_file.h"

namespace kura::app {

namespace {

namespace json = boost::json;
using base::ErrorCode;

struct OperatorOptions {
  std::string name;
  std::string key;
  std::string file;
  std::vector<std::string> agreed;  // NAME=FILE
};

base::Result<crypto::PublicKey> key_of(std::string_view hex) {
  if (const auto key = crypto::public_key_from_hex(hex)) return *key;
  return base::fail(ErrorCode::kUsage, "an operator's public key has 64 hex digits",
                    "`kura-vault operator new-key` showed it");
}

base::Result<ExitCode> run_new_key(const Context& context, const OperatorOptions& options) {
  if (::access(options.file.c_str(), F_OK) == 0) {
    return base::fail(ErrorCode::kExists, options.file + " is there already", "choose another name for the key");
  }
  base::Key seed;
  crypto::fill_random(seed.writable());
  KURA_TRY(vault::write_seed(options.file, seed));
  const std::string key = base::to_hex(crypto::ed25519_public(seed));
  context.output.object({{"type", "summary"}, {"file", options.file}, {"key", key}});
  context.output.line(key);
  context.output.note("Keep " + options.file + " to yourself. At the vault: kura-vault operator add NAME " + key);
  return kDone;
}

base::Result<ExitCode> run_add(const Context& context, const OperatorOptions& options) {
  const crypto::PublicKey key = KURA_TRY(key_of(options.key));
  const json::value known = KURA_TRY(context.ask("/v1/operators"));
  const crypto::PublicKey vault_key = KURA_TRY(key_of(known.at("vault_key").as_string()));
  json::array proofs;
  for (const std::string& one : options.agreed) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos) {
      return base::fail(ErrorCode::kUsage, fmt::format("'{}' does not say whose key it is", one), "write NAME=FILE");
    }
    proofs.emplace_back(KURA_TRY(signed_by({.who = one.substr(0, equals), .key_file = one.substr(equals + 1)},
                                           vault::operator_text(vault_key, options.name, key))));
  }
  const json::value answer = KURA_TRY(context.tell(
      "/v1/operators/add", {{"operator", options.name}, {"key", options.key}, {"proofs", std::move(proofs)}}));
  context.output.object(summary_of(answer));
  context.output.line(
      fmt::format("{} counts from {} on", options.name, std::string_view(answer.at("from").as_string())));
  return kDone;
}

base::Result<ExitCode> run_remove(const Context& context, const OperatorOptions& options) {
  context.output.object(summary_of(KURA_TRY(context.tell("/v1/operators/remove", {{"operator", options.name}}))));
  context.output.line(options.name + " is an operator no more");
  return kDone;
}

base::Result<ExitCode> run_list(const Context& context) {
  const json::value known = KURA_TRY(context.ask("/v1/operators"));
  for (const json::value& one : known.at("operators").as_array()) {
    const auto text = [&](const char* name) { return std::string_view(one.at(name).as_string()); };
    context.output.result([&] { return fmt::format("{:<20} {} from {}", text("operator"), text("key"), text("from")); },
                          [&] { return one.as_object(); });
  }
  return kDone;
}

}  // namespace

void add_operator(CommandTable& table) {
  CLI::App* group =
      table.add("operator", "The people whose word together lets things go before their time",
                "Examples:\n  kura-vault operator new-key mori.key\n  kura-vault operator add mori 5e1c...90\n\n"
                "The first two count at once. Later ones do when two agree, else after a week.",
                {});
  group->require_subcommand(1);
  auto options = std::make_shared<OperatorOptions>();
  CLI::App* command = table.add_below(group, "new-key", "Make a key, and show its public half",
                                      "Example:\n  kura-vault operator new-key mori.key",
                                      [options](const Context& context) { return run_new_key(context, *options); });
  command->add_option("file", options->file, "Where to put it; must not be there")->required()->type_name("FILE");
  command =
      table.add_below(group, "add", "Let an operator in",
                      "Example:\n  kura-vault operator add ito 77ab...02 --agreed mori=mori.key --agreed sato=sato.key",
                      [options](const Context& context) { return run_add(context, *options); });
  command->add_option("name", options->name, "His name")->required()->type_name("NAME");
  command->add_option("key", options->key, "His public key")->required()->type_name("HEX");
  command->add_option("--agreed", options->agreed, "An operator who agrees, and his key; twice")
      ->type_name("NAME=FILE");
  command = table.add_below(group, "remove", "Take an operator out", "Example:\n  kura-vault operator remove ito",
                            [options](const Context& context) { return run_remove(context, *options); });
  command->add_option("name", options->name, "His name")->required()->type_name("NAME");
  table.add_below(group, "list", "Show who is in", "Example:\n  kura-vault operator list", run_list);
}

}  // namespace kura::app
