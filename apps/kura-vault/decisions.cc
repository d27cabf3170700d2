// kura-vault policy, freeze, thaw, barrier: what one person decides about a repository.
#include <memory>

#include <fmt/format.h>

#include "base/human.h"
#include "command.h"
#include "person.h"

namespace kura::app {

namespace {

struct DecisionOptions {
  std::string repository;
  std::string text;
  std::vector<std::string> rules;
  std::string who;
  std::string since;
  bool no_attack = false;
};

boost::json::object body_of(const DecisionOptions& options) {
  std::string text = options.text;
  for (const std::string& rule : options.rules) text += (text.empty() ? "" : " ") + rule;
  return {{"repository", options.repository}, {"who", decider(options.who)}, {"text", text}};
}

base::Result<ExitCode> run_decision(const Context& context, const std::string& what, const DecisionOptions& options) {
  boost::json::object body = body_of(options);
  if (options.no_attack) body["no_attack"] = true;
  const boost::json::value answer = KURA_TRY(context.tell("/v1/" + what, body));
  const boost::json::object& told = answer.as_object();
  context.output.object(summary_of(answer));
  context.output.line(fmt::format("{}: {}; kept: {}", options.repository,
                                  told.at("frozen").as_bool() ? "frozen, nothing goes" : "not frozen",
                                  std::string_view(told.at("policy").as_string())));
  return kDone;
}

base::Result<ExitCode> run_barrier(const Context& context, const DecisionOptions& options) {
  boost::json::object body = body_of(options);
  body["since"] = options.since;
  const boost::json::value answer = KURA_TRY(context.tell("/v1/barrier", body));
  context.output.object(summary_of(answer));
  const auto packs = answer.at("barred_packs").to_number<std::uint64_t>();
  context.output.line(fmt::format("{}: later backups do not lean on {} that came in since then", options.repository,
                                  base::human_count(packs, "pack")));
  return kDone;
}

CLI::App* add_decision(CommandTable& table, const std::string& name, const char* description, const char* footer,
                       const std::shared_ptr<DecisionOptions>& options) {
  CLI::App* command = table.add(name, description, footer, [options, name](const Context& context) {
    return name == "barrier" ? run_barrier(context, *options) : run_decision(context, name, *options);
  });
  command->add_option("repository", options->repository, "Its name")->required()->type_name("REPOSITORY");
  command->add_option("--who", options->who, "Who decides, for the journal (the user)")->type_name("NAME");
  return command;
}

CLI::App* add_decision_with_reason(CommandTable& table, const std::string& name, const char* description,
                                   const char* footer, const std::shared_ptr<DecisionOptions>& options) {
  CLI::App* command = add_decision(table, name, description, footer, options);
  command->add_option("--why", options->text, "For the journal")->type_name("TEXT");
  return command;
}

}  // namespace

void add_decisions(CommandTable& table) {
  auto policy = std::make_shared<DecisionOptions>();
  add_decision(
      table, "policy", "Show or set what is kept of a repository, and how much may come in",
      "Examples:\n  kura-vault policy office\n  kura-vault policy office within=30d daily=60 weekly=26 "
      "monthly=24 yearly=10 quota=500G\n\nOf each hour, day, ... the snapshot that came first stays; the newest "
      "always does. Rules by which less is kept than before need two people: see `delete-request`.",
      policy)
      ->add_option("rules", policy->rules,
                   "within=TIME, hourly=N, daily=N, weekly=N, monthly=N, yearly=N, quota=SIZE, customer=NAME, "
                   "tripwire=on|off")
      ->type_name("RULE");
  add_decision_with_reason(
      table, "freeze", "Let nothing go from a repository until it is thawed; backups still come in",
      "Example:\n  kura-vault freeze office --why 'files encrypted at 03:10'", std::make_shared<DecisionOptions>());
  auto thaw = std::make_shared<DecisionOptions>();
  add_decision_with_reason(
      table, "thaw", "Let retention go on in a frozen repository",
      "Examples:\n  kura-vault thaw office --why 'restored, the attacker is out'\n  kura-vault thaw "
      "office --no-attack --why 'new accounting software'",
      thaw)
      ->add_flag("--no-attack", thaw->no_attack,
                 "What was suspect was none: it counts as any other, and what comes is compared with it");
  auto barrier = std::make_shared<DecisionOptions>();
  add_decision_with_reason(
      table, "barrier", "Keep later backups from leaning on what came in since an attack began",
      "Example:\n  kura-vault barrier office --since '2026-11-27T02:00' --why 'first encrypted file at 02:10'\n\nThe "
      "next backup stores anew what it needs of it. Times are of the vault, in UTC unless they say otherwise.",
      barrier)
      ->add_option("--since", barrier->since, "When the attack began")
      ->required()
      ->type_name("TIME");
}

}  // namespace kura::app
