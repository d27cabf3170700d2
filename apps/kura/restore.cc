// kura restore
#include "archive/restore/restore.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/human.h"
#include "command.h"
#include "overwrite.h"
#include "selection.h"

namespace kura::app {

namespace {

struct RestoreOptions {
  std::string what;
  std::string target;
  std::vector<std::string> includes, excludes;
  std::string overwrite = "changed";  // one of overwrite_modes()
  bool verify = false, dry_run = false, numeric_owner = false;
  unsigned threads = 0;
};

boost::json::object to_json(const archive::RestoreSummary& summary, const store::ObjectId& snapshot) {
  return {{"type", "summary"},
          {"snapshot_id", snapshot.hex()},
          {"files_restored", summary.files_restored},
          {"files_skipped", summary.files_skipped},
          {"files_failed", summary.files_failed},
          {"folders", summary.folders},
          {"others", summary.others},
          {"bytes_written", summary.bytes_written},
          {"bytes_verified", summary.bytes_verified},
          {"seconds", summary.seconds}};
}

void print(Output& output, const archive::RestoreSummary& summary, const RestoreOptions& options) {
  using base::human_count;
  output.line(fmt::format("{} {}, {} to {}{}", options.dry_run ? "would restore" : "restored",
                          human_count(summary.files_restored, "file"), base::human_size(summary.bytes_written),
                          options.target,
                          summary.files_failed ? fmt::format("; {} FAILED", human_count(summary.files_failed)) : ""));
  if (summary.files_skipped > 0) {
    output.note(
        fmt::format("  left as they are: {} that were there already", human_count(summary.files_skipped, "file")));
  }
  if (options.verify) output.note(fmt::format("  {} read back and verified", base::human_size(summary.bytes_verified)));
  const double rate = summary.seconds > 0 ? static_cast<double>(summary.bytes_written) / summary.seconds : 0;
  output.note(fmt::format("  time    {}, {}", base::human_duration(summary.seconds), base::human_rate(rate)));
}

base::Result<ExitCode> run_restore(const Context& context, const RestoreOptions& options) {
  const auto selection = KURA_TRY(Selection::parse(options.what));
  archive::RestoreOptions job{
      .path = selection.path,
      .target = options.target,
      .includes = {},
      .excludes = {},
      .overwrite = overwrite_modes().at(options.overwrite),
      .verify = options.verify,
      .dry_run = options.dry_run,
      .numeric_owner = options.numeric_owner,
      .threads = options.threads,
  };
  for (const auto& pattern : options.includes) KURA_TRY(job.includes.add(pattern));
  for (const auto& pattern : options.excludes) KURA_TRY(job.excludes.add(pattern));

  const auto repository = KURA_TRY(context.open_unlocked());
  const auto snapshot = KURA_TRY(selection.find(context, repository));
  base::Progress progress;
  bool damage = false;
  auto summary = [&] {
    ProgressLine line(context.output, progress, "restoring");
    return archive::run_restore(
        repository, snapshot, job, progress,
        [&](const std::string& path, const base::Error& error) {
          damage |= error.code() == base::ErrorCode::kDamaged;
          context.output.problem(path, error);
        },
        context.stop);
  }();
  if (!summary) return base::fail(std::move(summary).error());
  warn_of(context, summary->damaged);
  context.output.object(to_json(*summary, snapshot.id));
  print(context.output, *summary, options);
  if (damage) return kDamage;
  return summary->files_failed > 0 ? kFailed : kDone;
}

}  // namespace

void add_restore(CommandTable& table) {
  auto options = std::make_shared<RestoreOptions>();
  CLI::App* command =
      table.add("restore", "Write a snapshot, or a part of it, back to a folder",
                "Examples:\n"
                "  kura restore latest --target /srv/back            everything, with full paths below the target\n"
                "  kura restore latest:/srv/share --target /srv/back what is in that folder, straight into the target\n"
                "  kura restore 3f2a9c1d --target / --include '*.docx' --overwrite always\n"
                "\n"
                "A file appears under its name only when it is whole and proven. Run again after an interruption:\n"
                "what is complete is not written again.",
                [options](const Context& context) { return run_restore(context, *options); });
  command->add_option("snapshot", options->what, kSelectionHelp)->required()->type_name("SNAPSHOT[:PATH]");
  command->add_option("-t,--target", options->target, "Folder to write to; made when missing")
      ->required()
      ->type_name("DIR");
  command->add_option("-i,--include", options->includes, "Only what matches (may be repeated)")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  command->add_option("-e,--exclude", options->excludes, "Not what matches (may be repeated)")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  add_overwrite(command, options->overwrite);
  command->add_flag("--verify", options->verify, "Read everything back from the target and compare");
  command->add_flag("-n,--dry-run", options->dry_run, "Only say what would be written");
  command->add_flag("--numeric-owner", options->numeric_owner, "Owners by number, not by name");
  add_threads(command, options->threads);
}

}  // namespace kura::app
