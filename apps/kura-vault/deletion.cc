// kura-vault delete-request, delete-approve, delete-cancel, requests: what goes before its time, by two people.
#include <memory>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/human.h"
#include "command.h"
#include "crypto/key_text.h"
#include "person.h"
#include "vault/holding/requests.h"

namespace kura::app {

namespace {

namespace json = boost::json;
using base::ErrorCode;

struct DeletionOptions {
  std::string repository;
  std::vector<std::string> snapshots;
  std::string policy;
  std::uint64_t request = 0;
  PersonOptions person;
};

base::Result<crypto::PublicKey> vault_key_in(const json::value& answer) {
  if (const auto key = crypto::public_key_from_hex(answer.at("vault_key").as_string())) return *key;
  return base::fail(ErrorCode::kIo, "the vault's answer has no key of it");
}

std::string described(const json::object& request) {
  const auto text = [&](const char* name) { return std::string(request.at(name).as_string()); };
  const std::string what = request.at("policy").is_null()
                               ? base::human_count(request.at("snapshots").as_array().size(), "snapshot") + " to go"
                               : "policy to be: " + text("policy");
  const std::string state = request.at("due").is_null()
                                ? "nobody has agreed yet"
                                : fmt::format("{} has agreed, due {}", text("approved_by"), text("due"));
  return fmt::format("{} {}: {} (by {}, {}); {}", text("repository"), request.at("request").to_number<std::uint64_t>(),
                     what, text("who"), text("time"), state);
}

base::Result<ExitCode> shown(const Context& context, const json::value& answer) {
  context.output.object(summary_of(answer));
  context.output.line(described(answer.as_object()));
  return kDone;
}

base::Result<ExitCode> run_request(const Context& context, const DeletionOptions& options) {
  std::vector<store::ObjectId> ids;
  json::array names;
  for (const std::string& name : options.snapshots) {
    const auto id = store::ObjectId::from_hex(name);
    if (!id) {
      return base::fail(ErrorCode::kUsage, fmt::format("'{}' is no snapshot's whole id", name),
                        "`kura snapshots --json` shows them");
    }
    ids.push_back(*id);
    names.emplace_back(name);
  }
  const json::value known = KURA_TRY(context.ask("/v1/operators"));
  const base::Bytes text = vault::request_text(KURA_TRY(vault_key_in(known)), options.repository, ids, options.policy);
  json::object body = KURA_TRY(signed_by(options.person, text));
  body["repository"] = options.repository;
  body["snapshots"] = std::move(names);
  body["policy"] = options.policy;
  return shown(context, KURA_TRY(context.tell("/v1/requests", body)));
}

// The request that is signed is the one that the vault shows: whoever agrees looks at it first (`requests`).
base::Result<store::ObjectId> hash_of_request(const json::value& known, const DeletionOptions& options) {
  for (const json::value& one : known.at("requests").as_array()) {
    if (one.at("repository").as_string() != options.repository) continue;
    if (one.at("request").to_number<std::uint64_t>() != options.request) continue;
    if (const auto hash = store::ObjectId::from_hex(one.at("hash").as_string())) return *hash;
  }
  return base::fail(ErrorCode::kNotFound, fmt::format("{} has no open request {}", options.repository, options.request),
                    "`kura-vault requests` lists them");
}

base::Result<ExitCode> run_approve(const Context& context, const DeletionOptions& options) {
  const json::value known = KURA_TRY(context.ask("/v1/requests"));
  const store::ObjectId hash = KURA_TRY(hash_of_request(known, options));
  const base::Bytes text =
      vault::approval_text(KURA_TRY(vault_key_in(known)), options.repository, options.request, hash);
  json::object body = KURA_TRY(signed_by(options.person, text));
  body["repository"] = options.repository;
  body["request"] = options.request;
  return shown(context, KURA_TRY(context.tell("/v1/requests/approve", body)));
}

base::Result<ExitCode> run_cancel(const Context& context, const DeletionOptions& options) {
  const json::value answer = KURA_TRY(context.tell(
      "/v1/requests/cancel",
      {{"repository", options.repository}, {"request", options.request}, {"who", decider(options.person.who)}}));
  context.output.object(summary_of(answer));
  context.output.line(fmt::format("{} {}: called off", options.repository, options.request));
  return kDone;
}

base::Result<ExitCode> run_requests(const Context& context) {
  const json::value known = KURA_TRY(context.ask("/v1/requests"));
  for (const json::value& one : known.at("requests").as_array()) {
    context.output.result([&] { return described(one.as_object()); }, [&] { return one.as_object(); });
  }
  return kDone;
}

void add_place(CLI::App& command, DeletionOptions& options, bool of_request) {
  command.add_option("repository", options.repository, "Its name")->required()->type_name("REPOSITORY");
  if (of_request) command.add_option("request", options.request, "Its number")->required()->type_name("NUMBER");
}

}  // namespace

void add_deletion(CommandTable& table) {
  auto request = std::make_shared<DeletionOptions>();
  CLI::App* command = table.add(
      "delete-request", "Ask for snapshots to go before their time, or for less to be kept",
      "Examples:\n  kura-vault delete-request office 3f2a...e1 --who mori --key mori.key\n  kura-vault "
      "delete-request office --policy 'daily=14' --who mori --key mori.key\n\nIt happens when another operator "
      "has agreed (`delete-approve`) and the vault's delay is over, and anybody may call it off until then.",
      [request](const Context& context) { return run_request(context, *request); });
  add_place(*command, *request, false);
  command->add_option("snapshots", request->snapshots, "Their ids")->type_name("SNAPSHOT");
  command->add_option("--policy", request->policy, "Rules that are to hold instead, as of `policy`")
      ->type_name("RULES");
  add_person_options(*command, request->person);

  auto approve = std::make_shared<DeletionOptions>();
  command =
      table.add("delete-approve", "Agree to what another operator asked for",
                "Example:\n  kura-vault requests\n  kura-vault delete-approve office 214 --who sato --key sato.key",
                [approve](const Context& context) { return run_approve(context, *approve); });
  add_place(*command, *approve, true);
  add_person_options(*command, approve->person);

  auto cancel = std::make_shared<DeletionOptions>();
  command =
      table.add("delete-cancel", "Call off what somebody asked for", "Example:\n  kura-vault delete-cancel office 214",
                [cancel](const Context& context) { return run_cancel(context, *cancel); });
  add_place(*command, *cancel, true);
  command->add_option("--who", cancel->person.who, "Who calls it off, for the journal (the user)")->type_name("NAME");

  table.add("requests", "List what is to go before its time", "Example:\n  kura-vault requests", run_requests);
}

}  // namespace kura::app
