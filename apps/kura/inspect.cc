// kura inspect
#include "detect/inspect/inspect.h"

#include <memory>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/human.h"
#include "command.h"
#include "judging.h"

namespace kura::app {

namespace {

using detect::InspectCounts;
using detect::Inspected;
using detect::Verdict;

struct InspectCommand {
  std::vector<std::string> paths;
  std::string before, after;
  detect::InspectOptions options;
  bool all = false;
};

boost::json::object to_json(const Inspected& file) {
  boost::json::array reasons;
  for (const std::string& reason : file.judgement.reasons) reasons.emplace_back(json_text(reason));
  boost::json::object value{{"type", "file"},
                            {"path", json_text(file.path)},
                            {"verdict", detect::name_of(file.judgement.verdict)},
                            {"kind", file.judgement.kind},
                            {"reasons", std::move(reasons)},
                            {"size", file.size},
                            {"compared", file.had_before},
                            {"ransom_note", file.is_note}};
  if (file.old_path) value["old_path"] = json_text(*file.old_path);
  return value;
}

std::string line_of(const Inspected& file) {
  const std::string_view verdict = file.is_note ? "NOTE" : detect::name_of(file.judgement.verdict);
  std::string line = fmt::format("{:<7} {}", verdict, base::printable(file.path));
  if (file.old_path) line += fmt::format(" (was {})", base::printable(*file.old_path));
  if (!file.judgement.kind.empty()) line += fmt::format(" [{}]", file.judgement.kind);
  for (const std::string& reason : file.judgement.reasons) line += "\n          " + reason;
  return line;
}

boost::json::object to_json(const InspectCounts& counts, std::uint64_t unreadable, std::uint64_t unjudged) {
  return {{"type", "summary"},
          {"valid", counts.of(Verdict::kValid)},
          {"broken", counts.of(Verdict::kBroken)},
          {"opaque", counts.of(Verdict::kOpaque)},
          {"unknown", counts.of(Verdict::kUnknown)},
          {"failed", unreadable},
          {"unjudged", unjudged},
          {"bytes", counts.bytes}};
}

std::string line_of(const InspectCounts& counts) {
  const std::string rest =
      fmt::format("{} whole, {} encrypted by design, {} that nothing is known of; {}",
                  base::human_count(counts.of(Verdict::kValid)), base::human_count(counts.of(Verdict::kOpaque)),
                  base::human_count(counts.of(Verdict::kUnknown)), base::human_size(counts.bytes));
  const std::uint64_t broken = counts.of(Verdict::kBroken);
  return broken == 0 ? "no file looks encrypted: " + rest
                     : fmt::format("{} BROKEN: encrypted or damaged; {}", base::human_count(broken, "file"), rest);
}

base::Status check_usage(const InspectCommand& command) {
  const bool pairs = !command.before.empty() || !command.after.empty();
  if (pairs && (command.before.empty() || command.after.empty() || !command.paths.empty())) {
    return base::fail(base::ErrorCode::kUsage, "--before and --after go together, and without other paths",
                      "Write `kura inspect --before OLD --after NEW`, or `kura inspect PATH...`");
  }
  if (!pairs && command.paths.empty()) {
    return base::fail(base::ErrorCode::kUsage, "there is nothing to inspect", "Name files or folders");
  }
  return {};
}

base::Result<ExitCode> run_inspect(const Context& context, const InspectCommand& command) {
  KURA_TRY(check_usage(command));
  Output& output = context.output;
  std::uint64_t unreadable = 0;
  const auto on_inspected = [&](const Inspected& file) {
    if (!output.json() && !command.all && file.judgement.verdict != Verdict::kBroken && !file.is_note) return;
    output.result([&] { return line_of(file); }, [&] { return to_json(file); });
  };
  const auto on_unreadable = [&](const std::string& path, const base::Error& error) {
    ++unreadable;
    output.problem(path, error);
  };
  Judging judging(context.stop);
  base::Progress progress;
  const auto counts = [&] {
    const ProgressLine line(output, progress, "inspecting");
    return command.before.empty()
               ? detect::inspect(command.paths, command.options, judging.judge(), progress, on_inspected, on_unreadable,
                                 context.stop)
               : detect::inspect_pairs(command.before, command.after, command.options, judging.judge(), progress,
                                       on_inspected, on_unreadable, context.stop);
  }();
  if (!counts) return base::fail(counts.error());
  judging.warn(output);
  output.result([&] { return line_of(*counts); }, [&] { return to_json(*counts, unreadable, judging.failed()); });
  if (counts->of(Verdict::kBroken) > 0) return kAttack;
  return unreadable + judging.failed() > 0 ? kPartial : kDone;
}

}  // namespace

void add_inspect(CommandTable& table) {
  auto options = std::make_shared<InspectCommand>();
  CLI::App* command = table.add(
      "inspect", "Judge files that are in no backup: are they whole, or encrypted?",
      "Shows the files that are broken, with what is wrong; --all shows every file. The exit code is 5 when there is\n"
      "one.\n\n"
      "Examples:\n"
      "  kura inspect /srv/share\n"
      "  kura inspect --json /mnt/disk > judged.jsonl\n"
      "  kura inspect --before /mnt/last-week --after /srv/share",
      [options](const Context& context) { return run_inspect(context, *options); });
  command->add_option("path", options->paths, "Files and folders")->type_name("PATH");
  command->add_option("--before", options->before, "An older copy of what --after names: judge each file by both")
      ->type_name("OLD");
  command->add_option("--after", options->after, "A folder or a file as it is now")->type_name("NEW");
  command->add_flag("--all", options->all, "Show every file, not only broken ones");
  add_threads(command, options->options.threads);
}

}  // namespace kura::app
