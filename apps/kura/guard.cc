// kura guard
#include "guard/guard.h"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <memory>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/human.h"
#include "command.h"
#include "guard/contain/ladder.h"
#include "guard/put_back.h"
#include "guard/supervisor.h"
#include "judging.h"
#include "store/store.h"

namespace kura::app {

namespace {

struct GuardCommand {
  guard::GuardSettings settings;
  std::vector<std::string> ports;
  std::uint64_t save_gib = 4;
  std::uint64_t copy_mib = 64;
  bool no_opens = false, no_samba = false, only_tell = false;
  int under_watch = -1;
  std::string incident;
  std::string target;
  bool in_place = false;
  bool all = false;
  CLI::App *status = nullptr, *undo = nullptr, *restore = nullptr, *canary = nullptr, *place = nullptr,
           *remove = nullptr, *list = nullptr;
};

guard::OnEvent events_of(Output& output) {
  return [&output](const boost::json::object& event, const std::string& line) {
    output.json() ? output.object(event) : output.warning(line);
  };
}

// This program's own words, for the child.
std::vector<std::string> own_words() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

// Where the guard of the named share, or of the only one, keeps what it knows.
base::Result<std::string> state_of(const Context& context, const GuardCommand& command) {
  if (!command.settings.folder.empty()) {
    return guard::guard_state_folder(context.state_folder(), command.settings.folder);
  }
  std::vector<std::string> folders;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(context.state_folder() + "/guard", code)) {
    folders.push_back(entry.path().string());
  }
  if (folders.size() == 1) return folders.front();
  return base::fail(base::ErrorCode::kUsage,
                    folders.empty() ? "no share was guarded yet" : "several shares are guarded",
                    "say which: --watch DIR");
}

// What the vault keeps is needed from now on. A vault that does not answer is asked again with the incident's next
// step.
class FreezeVault final : public guard::OnIncident {
 public:
  explicit FreezeVault(const Context& context) : context_(context) {}
  base::Result<std::string> on_incident(const guard::Incident& incident, const std::stop_token& /*stop*/) override {
    constexpr std::chrono::seconds kPatience{20};
    const auto store = KURA_TRY(store::open_store(context_.options.repository, context_.store_options(kPatience)));
    const std::string why = fmt::format("the guard of {} found an attack: incident {}, {}", incident.share, incident.id,
                                        base::human_count(incident.proofs.size(), "broken file"));
    KURA_TRY(store->freeze(why));
    return fmt::format("the vault of {} lets go of nothing until an operator thaws it", store->describe());
  }

 private:
  const Context& context_;
};

base::Result<ExitCode> run_watch(const Context& context, const GuardCommand& command) {
  if (command.settings.folder.empty()) {
    return base::fail(base::ErrorCode::kUsage, "no folder is named", "Write `kura guard --watch DIR`");
  }
  const auto on_event = events_of(context.output);
  if (command.under_watch < 0) {
    KURA_TRY(guard::supervise(own_words(), on_event, {}, context.stop));
    return kDone;
  }
  guard::GuardSettings settings = command.settings;
  settings.state = guard::guard_state_folder(context.state_folder(), settings.folder);
  settings.bounds = {command.save_gib << 30, command.copy_mib << 20};
  settings.opens = !command.no_opens;
  settings.samba = !command.no_samba;
  settings.contain = !command.only_tell;
  if (!context.options.repository.empty()) settings.vault = std::make_shared<FreezeVault>(context);
  guard::Heartbeat* const heartbeat = KURA_TRY(guard::heartbeat_under_watch(command.under_watch));
  const auto guard = KURA_TRY(guard::Guard::open(settings, on_event));
  KURA_TRY(guard->run(*heartbeat, context.stop));
  return kDone;
}

// ---- Incidents ----

std::string line_of(const guard::Incident& incident, bool long_form) {
  std::string line = fmt::format(
      "{}  {:<9}  {}  {}, {}", incident.id, guard::name_of(incident.state), base::printable(incident.actor.text()),
      base::human_count(incident.proofs.size(), "broken file"), base::human_count(incident.files.size(), "change"));
  if (!long_form) return line;
  for (const auto& proof : incident.proofs) {
    line += fmt::format("\n  {} {}: {}", guard::name_of(proof.sign), base::printable(proof.path), proof.reason);
  }
  for (const auto& step : incident.steps) {
    line += fmt::format("\n  {} {}: {}", step.done ? "done  " : "FAILED", step.what, base::printable(step.detail));
  }
  for (const auto& file : incident.files) {
    line += fmt::format("\n  {} {}{}{}", file.touch.what, base::printable(file.touch.path),
                        file.touch.from.empty() ? "" : " (was " + base::printable(file.touch.from) + ")",
                        file.saved != 0 ? ", old contents saved" : "");
  }
  return line;
}

base::Result<ExitCode> run_status(const Context& context, const GuardCommand& command) {
  const std::string state = KURA_TRY(state_of(context, command));
  const auto book = KURA_TRY(guard::IncidentBook::open(state));
  if (!command.incident.empty()) {
    const auto incident = KURA_TRY(book.read(command.incident));
    context.output.result([&] { return line_of(incident, true); }, [&] { return guard::to_json(incident); });
    return kDone;
  }
  if (const auto status = guard::read_whole(state + "/status.json")) {
    boost::system::error_code malformed;
    const auto value = boost::json::parse(*status, malformed);
    if (!malformed && value.is_object()) {
      context.output.result([&] { return *status; }, [&] { return value.get_object(); });
    }
  }
  bool open = false;
  for (const auto& incident : book.all()) {
    open = open || incident.state != guard::IncidentState::kUndone;
    if (incident.state == guard::IncidentState::kUndone && !command.all) continue;
    context.output.result([&] { return line_of(incident, false); }, [&] { return guard::to_json(incident); });
  }
  return open ? kAttack : kDone;
}

base::Result<ExitCode> run_undo(const Context& context, const GuardCommand& command) {
  const auto book = KURA_TRY(guard::IncidentBook::open(KURA_TRY(state_of(context, command))));
  std::vector<guard::Incident> chosen = book.all();
  if (!command.incident.empty()) chosen = {KURA_TRY(book.read(command.incident))};
  bool failed = false;
  std::uint64_t count = 0;
  for (guard::Incident& incident : chosen) {
    if (incident.state == guard::IncidentState::kUndone) continue;
    const auto problems = guard::take_back(incident);
    for (const std::string& problem : problems) {
      context.output.problem(incident.id, base::Error(base::ErrorCode::kIo, problem));
      failed = true;
    }
    incident.state = guard::IncidentState::kUndone;
    incident.steps.push_back(
        {"undo", problems.empty(), "taken back by " + std::to_string(::getuid()), base::now_ns(), {}});
    KURA_TRY(book.write(incident));
    ++count;
    context.output.result([&] { return "undone: " + line_of(incident, false); },
                          [&] { return guard::to_json(incident); });
  }
  context.output.result(
      [&] {
        return fmt::format("{} undone; what froze retention thaws only by people, at the vault",
                           base::human_count(count, "incident"));
      },
      [&] { return boost::json::object{{"type", "summary"}, {"undone", count}}; });
  return failed ? kFailed : kDone;
}

base::Result<ExitCode> run_put_back(const Context& context, const GuardCommand& command) {
  if (command.in_place != command.target.empty()) {
    return base::fail(base::ErrorCode::kUsage, "where the files are to be put is not said",
                      "--in-place, or --target DIR");
  }
  const std::string state = KURA_TRY(state_of(context, command));
  const auto book = KURA_TRY(guard::IncidentBook::open(state));
  const auto incident = KURA_TRY(book.read(command.incident));
  const std::string saved = command.settings.saved.empty() ? state + "/saved" : command.settings.saved;
  const auto on_file = [&](const std::string& path, std::string_view outcome, const base::Error* error) {
    if (error != nullptr) return context.output.problem(path, *error);
    context.output.result(
        [&] { return fmt::format("{} {}", outcome, base::printable(path)); },
        [&] { return boost::json::object{{"type", "file"}, {"path", json_text(path)}, {"outcome", outcome}}; });
  };
  const auto counts = KURA_TRY(
      guard::put_back(incident, saved, command.in_place ? incident.share : command.target, on_file, context.stop));
  context.output.result(
      [&] {
        return fmt::format("{} put back, {} of which nothing was saved (a backup has them), {} failed", counts.restored,
                           counts.unsaved, counts.failed);
      },
      [&] {
        return boost::json::object{
            {"type", "summary"}, {"restored", counts.restored}, {"unsaved", counts.unsaved}, {"failed", counts.failed}};
      });
  return counts.failed > 0 ? kFailed : kDone;
}

// ---- Canaries ----

base::Result<ExitCode> run_canary(const Context& context, const GuardCommand& command) {
  if (command.settings.folder.empty()) {
    return base::fail(base::ErrorCode::kUsage, "no folder is named", "say --watch DIR");
  }
  const std::string state = guard::guard_state_folder(context.state_folder(), command.settings.folder);
  std::error_code code;
  std::filesystem::create_directories(state, code);
  const auto memory = KURA_TRY(guard::Memory::open(state + "/memory.sqlite"));
  if (command.list->parsed()) {
    for (const std::string& path : memory->canaries()) {
      context.output.result([&] { return base::printable(path); },
                            [&] { return boost::json::object{{"type", "canary"}, {"path", json_text(path)}}; });
    }
    return kDone;
  }
  const auto share = KURA_TRY(guard::Share::open(command.settings.folder));
  std::uint64_t count = 0;
  if (command.place->parsed()) {
    Judging judging(context.stop);
    count = KURA_TRY(guard::place_canaries(judging.judge(), share, *memory, context.stop)).placed;
  } else {
    count = guard::remove_canaries(share, *memory);
  }
  context.output.result(
      [&] {
        return fmt::format("{} {}", base::human_count(count, "canary"), command.place->parsed() ? "placed" : "removed");
      },
      [&] { return boost::json::object{{"type", "summary"}, {"canaries", count}}; });
  return kDone;
}

base::Result<ExitCode> run_guard(const Context& context, const GuardCommand& command) {
  if (command.status->parsed()) return run_status(context, command);
  if (command.undo->parsed()) return run_undo(context, command);
  if (command.restore->parsed()) return run_put_back(context, command);
  if (command.canary->parsed()) return run_canary(context, command);
  return run_watch(context, command);
}

void add_watch_options(CLI::App* app, GuardCommand& command) {
  guard::GuardSettings& settings = command.settings;
  app->add_option("--watch", settings.folder, "The folder that is shared")->type_name("DIR");
  app->add_option("--on-incident", settings.on_incident,
                  "Program to run with an incident's JSON on standard input; words behind it are its arguments")
      ->type_name("CMD");
  app->add_option("--saved-dir", settings.saved,
                  "Where old contents are kept; on the share's own file system, where that can reflink")
      ->type_name("DIR");
  app->add_option("--save-space", command.save_gib, "Space for old contents, GiB")
      ->capture_default_str()
      ->type_name("GIB");
  app->add_option("--copy-most", command.copy_mib, "Largest file that is copied before it is opened for writing, MiB")
      ->capture_default_str()
      ->type_name("MIB");
  app->add_option("--hold-files", settings.hold_most,
                  "Files at most whose contents are still there right after they are deleted; 1.5 KiB of memory each")
      ->capture_default_str()
      ->type_name("COUNT");
  app->add_flag("--save-all", settings.save_all, "Save old contents also of actors that are usual");
  app->add_flag("--refuse-unsaved", settings.refuse_unsaved,
                "Refuse writes of suspicious actors to what could not be saved");
  app->add_option("--opens-per-second", settings.opens_per_second, "Opens for writing of an actor that is not usual")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 1e6));
  app->add_option("--usual-after-changes", settings.usual.valid_changes, "Valid changes that make an actor usual")
      ->capture_default_str();
  app->add_option("--usual-after-days", settings.usual.days, "Days since he was seen first that make an actor usual")
      ->capture_default_str();
  app->add_option("--samba-config", settings.cut.samba_config, "smb.conf, where it is not the usual one")
      ->type_name("FILE");
  app->add_option("--samba-port", settings.cut.ports, "Ports that a contained client is cut from")
      ->capture_default_str();
  app->add_flag("--no-samba", command.no_samba, "Do not ask Samba for its clients");
  app->add_flag("--no-opens", command.no_opens, "Watch names alone: nothing waits, nothing is saved or refused");
  app->add_flag("--only-tell", command.only_tell, "Tell of attacks, contain nobody");
  app->add_option("--under-watch", command.under_watch, "")->group("");
}

}  // namespace

void add_guard(CommandTable& table) {
  auto command = std::make_shared<GuardCommand>();
  CLI::App* app = table.add("guard", "Watch a shared folder live, and contain an attack after a handful of files",
                            "Needs root. Runs until it is stopped; docs/operate/guard.md has the unit for systemd.\n\n"
                            "Examples:\n"
                            "  kura guard --watch /srv/share --on-incident /usr/local/sbin/page-me\n"
                            "  kura guard status\n"
                            "  kura guard undo\n"
                            "  kura guard restore 20260301T1430 --in-place",
                            [command](const Context& context) { return run_guard(context, *command); });
  app->require_subcommand(0, 1);
  add_watch_options(app, *command);
  command->status = table.add_below(app, "status", "What it does, and the open incidents", "", nullptr);
  command->status->add_option("incident", command->incident, "One incident, with all its files")->type_name("INCIDENT");
  command->status->add_flag("--all", command->all, "Also incidents that were undone");
  command->undo = table.add_below(app, "undo", "Take back what was done against an actor",
                                  "Without INCIDENT: all of them.", nullptr);
  command->undo->add_option("incident", command->incident, "")->type_name("INCIDENT");
  command->restore = table.add_below(app, "restore", "Put the old contents of an incident's files back", "", nullptr);
  command->restore->add_option("incident", command->incident, "")->type_name("INCIDENT")->required();
  command->restore->add_option("--target", command->target, "Put them below this folder")->type_name("DIR");
  command->restore->add_flag("--in-place", command->in_place, "Put them where they were, over what is there");
  command->canary = table.add_below(app, "canary", "Files that only an attacker touches", "", nullptr);
  command->canary->require_subcommand(1);
  command->place = table.add_below(command->canary, "place", "Put canaries into folders that have none", "", nullptr);
  command->remove = table.add_below(command->canary, "remove", "Remove all canaries", "", nullptr);
  command->list = table.add_below(command->canary, "list", "Show the canaries", "", nullptr);
}

}  // namespace kura::app
