// kura-vault door open | close | schedule | status
#include <memory>

#include <fmt/format.h>

#include "base/time.h"
#include "command.h"
#include "person.h"

namespace kura::app {

namespace {

namespace json = boost::json;

struct DoorOptions {
  std::string machine;
  bool all = false;
  std::string time;
  std::string address;
  std::string at;
  std::string days;
  bool none = false;
  std::string who;
};

base::Result<ExitCode> run_open(const Context& context, const DoorOptions& options) {
  const auto time = KURA_TRY_AS(base::parse_duration(options.time), "--for");
  const json::value answer = KURA_TRY(context.tell("/v1/door/open", {{"machine", options.machine},
                                                                     {"address", options.address},
                                                                     {"seconds", time.count()},
                                                                     {"who", decider(options.who)}}));
  context.output.object(summary_of(answer));
  context.output.line(
      options.address.empty()
          ? fmt::format("{} may knock for {}; the door opens to where it knocks from", options.machine, options.time)
          : fmt::format("open for {} to {}, for {}", options.machine, options.address, options.time));
  return kDone;
}

base::Result<ExitCode> run_close(const Context& context, const DoorOptions& options) {
  if (options.all == !options.machine.empty()) {
    return base::fail(base::ErrorCode::kUsage, "whose door is to be shut?", "name a MACHINE, or say --all");
  }
  const json::value answer = KURA_TRY(context.tell(
      "/v1/door/close", {{"machine", options.machine}, {"all", options.all}, {"who", decider(options.who)}}));
  context.output.object(summary_of(answer));
  context.output.line(options.all ? std::string("shut to everybody") : fmt::format("shut to {}", options.machine));
  return kDone;
}

// In the form that the vault reads.
base::Result<std::string> hours_of(const DoorOptions& options) {
  if (options.at.empty() && options.time.empty() && options.days.empty()) return std::string();
  if (options.at.empty() || options.time.empty()) {
    return base::fail(base::ErrorCode::kUsage, "hours have a beginning and a length",
                      "write --at 02:00 --for 3h, and --days mon,tue unless it is every day");
  }
  return fmt::format("{}+{}{}", options.at, options.time, options.days.empty() ? "" : "@" + options.days);
}

base::Result<ExitCode> run_schedule(const Context& context, const DoorOptions& options) {
  const json::value answer = KURA_TRY(context.tell("/v1/door/schedule", {{"machine", options.machine},
                                                                         {"hours", KURA_TRY(hours_of(options))},
                                                                         {"none", options.none},
                                                                         {"who", decider(options.who)}}));
  context.output.object(summary_of(answer));
  context.output.line(
      fmt::format("{} may come: {}", options.machine, std::string_view(answer.at("schedule").as_string())));
  return kDone;
}

std::string line_of(const json::object& door) {
  std::string state = "shut";
  if (door.at("open").as_bool()) {
    state = "open to";
    for (const json::value& address : door.at("addresses").as_array()) {
      state += " " + std::string(address.as_string());
    }
    state += fmt::format(" until {} ({})", std::string_view(door.at("until").as_string()),
                         std::string_view(door.at("why").as_string()));
  } else if (!door.at("allowed_until").is_null()) {
    state = fmt::format("may knock until {}", std::string_view(door.at("allowed_until").as_string()));
  }
  return fmt::format("{:<24} {}; hours: {}", std::string_view(door.at("machine").as_string()), state,
                     std::string_view(door.at("schedule").as_string()));
}

base::Result<ExitCode> run_status(const Context& context) {
  const json::value answer = KURA_TRY(context.ask("/v1/door/status"));
  for (const json::value& door : answer.at("doors").as_array()) {
    context.output.result([&] { return line_of(door.as_object()); }, [&] { return door.as_object(); });
  }
  return kDone;
}

CLI::App* add_one(CommandTable& table, CLI::App* parent, const char* name, const char* description, const char* footer,
                  base::Result<ExitCode> (*run)(const Context&, const DoorOptions&),
                  const std::shared_ptr<DoorOptions>& options) {
  CLI::App* command = table.add_below(parent, name, description, footer,
                                      [options, run](const Context& context) { return run(context, *options); });
  command->add_option("--who", options->who, "Who decides, for the journal (the user)")->type_name("NAME");
  return command;
}

void add_open(CommandTable& table, CLI::App* door, const std::shared_ptr<DoorOptions>& options) {
  CLI::App* command = add_one(table, door, "open", "Let a machine in, for a time",
                              "Examples:\n  kura-vault door open server1 --for 2h\n"
                              "  kura-vault door open server1 --for 30m --address 203.0.113.5   to enrol it, say\n\n"
                              "Without an address the door opens to where the machine knocks from. It is shut when\n"
                              "the machine's job ends; until the time is over the machine may knock again.",
                              run_open, options);
  command->add_option("machine", options->machine, "Its name")->required()->type_name("MACHINE");
  command->add_option("--for", options->time, "How long, up to 24h")->required()->type_name("TIME");
  command->add_option("--address", options->address, "Open to this address at once")->type_name("ADDRESS");
}

void add_close(CommandTable& table, CLI::App* door, const std::shared_ptr<DoorOptions>& options) {
  CLI::App* command =
      add_one(table, door, "close", "Shut the door, and cut what is connected",
              "Examples:\n  kura-vault door close server1\n  kura-vault door close --all", run_close, options);
  command->add_option("machine", options->machine, "Its name")->type_name("MACHINE");
  command->add_flag("--all", options->all, "Of every machine");
}

void add_schedule(CommandTable& table, CLI::App* door, const std::shared_ptr<DoorOptions>& options) {
  CLI::App* command =
      add_one(table, door, "schedule", "Show, add or remove the hours in which a machine may knock",
              "Examples:\n  kura-vault door schedule server1\n"
              "  kura-vault door schedule server1 --at 02:00 --for 3h\n"
              "  kura-vault door schedule server1 --at 12:00 --for 1h --days mon,tue,wed,thu,fri   these, too\n"
              "  kura-vault door schedule server1 --none\n\n"
              "The clock is this machine's, in its time zone; hours may end on the next day.",
              run_schedule, options);
  command->add_option("machine", options->machine, "Its name")->required()->type_name("MACHINE");
  command->add_option("--at", options->at, "When they begin")->type_name("HH:MM");
  command->add_option("--for", options->time, "How long, up to 24h")->type_name("TIME");
  command->add_option("--days", options->days, "On these days alone: mon,tue,wed,thu,fri,sat,sun")->type_name("DAYS");
  command->add_flag("--none", options->none, "Remove those that there are");
}

}  // namespace

void add_door(CommandTable& table) {
  CLI::App* door = table.add("door", "Say who may reach the vault, and when", "", {});
  door->require_subcommand(1);
  add_open(table, door, std::make_shared<DoorOptions>());
  add_close(table, door, std::make_shared<DoorOptions>());
  add_schedule(table, door, std::make_shared<DoorOptions>());
  table.add_below(door, "status", "Show whose door is open, to which address, and who may knock when",
                  "Example:\n  kura-vault door status --json", run_status);
}

}  // namespace kura::app
