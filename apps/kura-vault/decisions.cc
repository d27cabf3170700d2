// kura-vault policy, freeze, thaw: what people decide about a repository.
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include <fmt/format.h>

#include "command.h"

namespace kura::app {

namespace {

struct DecisionOptions {
  std::string repository;
  std::string text;
  std::vector<std::string> rules;
  std::string who;
};

// Whom the journal names: --who, or the user.
std::string decider(const DecisionOptions& options) {
  if (!options.who.empty()) return options.who;
  const char* user = std::getenv("SUDO_USER");
  if (user == nullptr) user = std::getenv("USER");
  return user != nullptr ? std::string(user) : fmt::format("uid {}", ::getuid());
}

base::Result<ExitCode> run_decision(const Context& context, const std::string& what, const DecisionOptions& options) {
  std::string text = options.text;
  for (const std::string& rule : options.rules) text += (text.empty() ? "" : " ") + rule;
  const boost::json::value answer = KURA_TRY(
      context.tell("/v1/" + what, {{"repository", options.repository}, {"who", decider(options)}, {"text", text}}));
  const boost::json::object& told = answer.as_object();
  context.output.object(summary_of(answer));
  context.output.line(fmt::format("{}: {}; kept: {}", options.repository,
                                  told.at("frozen").as_bool() ? "frozen, nothing goes" : "not frozen",
                                  std::string_view(told.at("policy").as_string())));
  return kDone;
}

CLI::App* add_decision(CommandTable& table, const std::string& name, const char* description, const char* footer,
                       const std::shared_ptr<DecisionOptions>& options) {
  CLI::App* command = table.add(name, description, footer, [options, name](const Context& context) {
    return run_decision(context, name, *options);
  });
  command->add_option("repository", options->repository, "Its name")->required()->type_name("REPOSITORY");
  command->add_option("--who", options->who, "Who decides, for the journal (the user)")->type_name("NAME");
  return command;
}

}  // namespace

void add_decisions(CommandTable& table) {
  auto policy = std::make_shared<DecisionOptions>();
  add_decision(
      table, "policy", "Show or set what is kept of a repository",
      "Examples:\n  kura-vault policy office\n  kura-vault policy office within=30d daily=60 weekly=26 "
      "monthly=24 yearly=10\n\nOf each hour, day, ... the snapshot that came first stays; the newest always does.",
      policy)
      ->add_option("rules", policy->rules, "within=TIME, hourly=N, daily=N, weekly=N, monthly=N, yearly=N")
      ->type_name("RULE");
  auto freeze = std::make_shared<DecisionOptions>();
  add_decision(table, "freeze", "Let nothing go from a repository until it is thawed; backups still come in",
               "Example:\n  kura-vault freeze office --why 'files encrypted at 03:10'", freeze)
      ->add_option("--why", freeze->text, "For the journal")
      ->type_name("TEXT");
  auto thaw = std::make_shared<DecisionOptions>();
  add_decision(table, "thaw", "Let retention go on in a frozen repository",
               "Example:\n  kura-vault thaw office --why 'false alarm'", thaw)
      ->add_option("--why", thaw->text, "For the journal")
      ->type_name("TEXT");
}

}  // namespace kura::app
