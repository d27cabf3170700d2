// kura-vault status
#include <fmt/format.h>

#include "base/human.h"
#include "command.h"

namespace kura::app {

namespace {

namespace json = boost::json;

std::uint64_t number(const json::object& of, const char* name) { return of.at(name).to_number<std::uint64_t>(); }

std::string line_of(const json::object& repository) {
  std::string line = fmt::format(
      "{:<24} {:>6} snapshots, newest {}, {} used", std::string_view(repository.at("repository").as_string()),
      number(repository, "snapshots"),
      repository.at("newest").is_null() ? "never"
                                        : base::human_duration(static_cast<double>(number(repository, "age"))) + " ago",
      base::human_size(number(repository, "used")));
  if (!repository.at("quota").is_null()) line += " of " + base::human_size(number(repository, "quota"));
  if (const std::uint64_t copied = number(repository.at("copies").as_object(), "snapshots"); copied != 0) {
    line += fmt::format(", {} elsewhere too", copied);
  }
  line += fmt::format("; {}", std::string_view(repository.at("rule_32110").as_string()));
  if (repository.at("frozen").as_bool()) line += "; FROZEN";
  if (number(repository, "suspect") != 0) line += fmt::format("; {} SUSPECT", number(repository, "suspect"));
  if (number(repository, "damaged") != 0) line += fmt::format("; {} DAMAGED", number(repository, "damaged"));
  if (number(repository, "repaired") != 0) line += fmt::format("; {} repaired", number(repository, "repaired"));
  if (number(repository, "requests") != 0) line += "; " + base::human_count(number(repository, "requests"), "request");
  return line;
}

std::string followed_line(const json::object& vault, const json::object& repository) {
  const json::value& followed = repository.at("followed");
  const std::string_view why = repository.at("why").as_string();
  return fmt::format(
      "{:<24} from {}: {}, behind by {}, followed {}{}{}", std::string_view(repository.at("repository").as_string()),
      std::string_view(vault.at("vault").as_string()), std::string_view(repository.at("state").as_string()),
      base::human_count(number(repository, "behind"), "snapshot"),
      followed.is_null() ? "not yet" : std::string_view(followed.as_string()), why.empty() ? "" : ": ", why);
}

base::Result<ExitCode> run_status(const Context& context) {
  const json::value answer = KURA_TRY(context.ask("/v1/status"));
  if (const json::value& doubt = answer.at("clock_doubt"); !doubt.is_null()) {
    context.output.problem("clock", {base::ErrorCode::kConflict, std::string(doubt.as_string()),
                                     "nothing expires until you have looked: `kura-vault clock trust`"});
  }
  for (const json::value& one : answer.at("repositories").as_array()) {
    context.output.result([&] { return line_of(one.as_object()); }, [&] { return one.as_object(); });
  }
  for (const json::value& one : answer.at("followed").as_array()) {
    const json::object& vault = one.as_object();
    context.output.object(vault);
    for (const json::value& repository : vault.at("repositories").as_array()) {
      context.output.line(followed_line(vault, repository.as_object()));
    }
  }
  return kDone;
}

}  // namespace

void add_status(CommandTable& table) {
  table.add(
      "status", "Show what the vault holds, a line a repository",
      "Example:\n  kura-vault status --json\n\nThe five marks are the rule 3-2-1-1-0: three copies (machine, this "
      "vault, another one), on two kinds of\nmachines, one away, one that cannot be changed, and no errors when all "
      "was read again within 35 days.",
      run_status);
}

}  // namespace kura::app
