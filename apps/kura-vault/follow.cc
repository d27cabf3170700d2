// kura-vault follow, unfollow, accept: which other vaults this one follows.
#include <memory>

#include <fmt/format.h>

#include "command.h"
#include "person.h"

namespace kura::app {

namespace {

struct FollowOptions {
  std::string address, token, name, key;
};

struct FollowedOptions {
  std::string vault, repository, why, who;
};

base::Result<ExitCode> run_follow(const Context& context, const FollowOptions& options) {
  const boost::json::value answer = KURA_TRY(context.tell(
      "/v1/follow",
      {{"address", options.address}, {"token", options.token}, {"name", options.name}, {"key", options.key}}));
  const boost::json::object& told = answer.as_object();
  context.output.object(summary_of(answer));
  context.output.line(fmt::format("{} at {} is followed", std::string_view(told.at("vault").as_string()),
                                  std::string_view(told.at("address").as_string())));
  if (!told.at("key_was_given").as_bool()) {
    context.output.note(
        fmt::format("Its journals have to be signed by the key {} from now on.\nCompare it with what `kura-vault init` "
                    "showed there.",
                    std::string_view(told.at("key").as_string())));
  }
  return kDone;
}

base::Result<ExitCode> run_unfollow(const Context& context, const FollowedOptions& options) {
  const boost::json::value answer =
      KURA_TRY(context.tell("/v1/unfollow", {{"vault", options.vault}, {"why", options.why}}));
  context.output.object(summary_of(answer));
  context.output.line(fmt::format("{} is not followed any more; what came from it stays", options.vault));
  return kDone;
}

base::Result<ExitCode> run_accept(const Context& context, const FollowedOptions& options) {
  const boost::json::value answer = KURA_TRY(context.tell("/v1/accept", {{"vault", options.vault},
                                                                         {"repository", options.repository},
                                                                         {"why", options.why},
                                                                         {"who", decider(options.who)}}));
  context.output.object(summary_of(answer));
  for (const boost::json::value& repository : answer.at("repositories").as_array()) {
    context.output.line(fmt::format("{} is followed on", std::string_view(repository.as_string())));
  }
  context.output.note("Nothing expires in it until it is thawed: `kura-vault thaw`.");
  return kDone;
}

}  // namespace

void add_follow(CommandTable& table) {
  auto options = std::make_shared<FollowOptions>();
  CLI::App* follow = table.add(
      "follow", "Follow another vault: all that it has comes here, and stays by this vault's own policy",
      "Examples:\n  kura-vault follow https://vault-a.example.com TOKEN\n"
      "  kura-vault follow https://vault-a.example.com TOKEN --name tokyo-a --key KEY\n\n"
      "The token comes from `kura-vault enrol NAME --follower` there. Here `kura-vault pull` (or serve) runs.",
      [options](const Context& context) { return run_follow(context, *options); });
  follow->add_option("vault", options->address, "https://HOST[:7443]")->required()->type_name("VAULT");
  follow->add_option("token", options->token, "What `kura-vault enrol` printed there")->required()->type_name("TOKEN");
  follow->add_option("--name", options->name, "What it is called here (as it calls itself)")->type_name("NAME");
  follow->add_option("--key", options->key, "What its journals are signed with, that `kura-vault init` showed there")
      ->type_name("HEX");

  auto followed = std::make_shared<FollowedOptions>();
  CLI::App* unfollow = table.add("unfollow", "Follow a vault no more; what came from it stays",
                                 "Example:\n  kura-vault unfollow tokyo-a --why 'closed'",
                                 [followed](const Context& context) { return run_unfollow(context, *followed); });
  CLI::App* accept = table.add(
      "accept", "Follow a vault on whose journal did not prove right",
      "Example:\n  kura-vault accept tokyo-a --repository office --why 'its disk was restored from a copy'\n\n"
      "Its journal is followed anew as it is now; the old copy stays beside it. What is here stays.",
      [followed](const Context& context) { return run_accept(context, *followed); });
  for (CLI::App* command : {unfollow, accept}) {
    command->add_option("vault", followed->vault, "By the name that it has here")->required()->type_name("NAME");
    command->add_option("--why", followed->why, "For the journal")->type_name("TEXT");
  }
  accept->add_option("--repository", followed->repository, "This one alone (all that stopped)")->type_name("NAME");
  accept->add_option("--who", followed->who, "Who decides, for the journal (the user)")->type_name("NAME");
}

}  // namespace kura::app
