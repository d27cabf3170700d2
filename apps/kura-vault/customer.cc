// kura-vault customer
#include <memory>
#include <optional>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/human.h"
#include "command.h"
#include "person.h"

namespace kura::app {

namespace {

struct CustomerOptions {
  std::string name;
  std::optional<std::uint64_t> quota;
  std::string who;
};

base::Result<ExitCode> run_list(const Context& context) {
  const boost::json::value answer = KURA_TRY(context.ask("/v1/customers"));
  for (const boost::json::value& one : answer.as_array()) {
    const auto number = [&](const char* name) { return one.at(name).to_number<std::uint64_t>(); };
    context.output.result(
        [&] {
          return fmt::format("{:<24} {} of {}", std::string_view(one.at("customer").as_string()),
                             base::human_size(number("used")),
                             number("quota") == 0 ? "any amount" : base::human_size(number("quota")));
        },
        [&] { return one.as_object(); });
  }
  return kDone;
}

base::Result<ExitCode> run_customer(const Context& context, const CustomerOptions& options) {
  if (options.name.empty()) return run_list(context);
  if (!options.quota) {
    return base::fail(base::ErrorCode::kUsage, "what is the customer's quota?", "add --quota SIZE, 0 for none");
  }
  const boost::json::value answer = KURA_TRY(context.tell(
      "/v1/customers", {{"customer", options.name}, {"quota", *options.quota}, {"who", decider(options.who)}}));
  context.output.object(summary_of(answer));
  context.output.line(fmt::format("{}: {}", options.name,
                                  *options.quota == 0 ? "no quota" : "at most " + base::human_size(*options.quota)));
  return kDone;
}

}  // namespace

void add_customer(CommandTable& table) {
  auto options = std::make_shared<CustomerOptions>();
  CLI::App* command =
      table.add("customer", "Show customers, or set how much one may hold in all its repositories",
                "Examples:\n  kura-vault customer\n  kura-vault customer acme --quota 2TB\n  kura-vault "
                "policy office ... customer=acme       says whose a repository is",
                [options](const Context& context) { return run_customer(context, *options); });
  command->add_option("name", options->name, "The customer")->type_name("NAME");
  command->add_option("--quota", options->quota, "Bytes, or with a unit: 500GB, 2TB; 0: no quota")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->type_name("SIZE");
  command->add_option("--who", options->who, "Who decides, for the journal (the user)")->type_name("NAME");
}

}  // namespace kura::app
