// kura recover
#include <map>
#include <memory>
#include <set>
#include <string>

#include <fmt/format.h>

#include "archive/restore/recovery_plan.h"
#include "archive/restore/restore.h"
#include "base/escape.h"
#include "base/human.h"
#include "base/time.h"
#include "command.h"
#include "judging.h"
#include "overwrite.h"
#include "selection.h"

namespace kura::app {

namespace {

using archive::Fate;
using archive::RecoveredFile;
using archive::RecoveryPlan;

struct RecoverOptions {
  std::string snapshot = "latest";
  std::string target;
  std::string since;
  std::string overwrite = "changed";
  bool list = false;
  bool no_compare = false, no_verify = false, numeric_owner = false;
  unsigned threads = 0;
};

std::string short_id(const RecoveryPlan& plan, std::size_t number) {
  return plan.snapshots[number].id.hex().substr(0, 8);
}

// ---- The list ----

boost::json::object to_json(const RecoveryPlan& plan, const std::string& path, const RecoveredFile& file) {
  boost::json::object value{{"type", "file"}, {"path", json_text(path)}, {"fate", archive::name_of(file.fate)}};
  if (file.fate != Fate::kLeftOut) {
    value["snapshot_id"] = plan.snapshots[file.snapshot].id.hex();
    value["mtime"] = base::format_rfc3339_seconds(file.mtime_seconds);
  }
  value["size"] = file.size;
  value["broken_mtime"] = file.broken_mtime_seconds != 0
                              ? boost::json::value(base::format_rfc3339_seconds(file.broken_mtime_seconds))
                              : boost::json::value(nullptr);
  if (!file.broken_as.empty()) value["broken_path"] = json_text(file.broken_as);
  value["evidence"] = json_text(file.evidence);
  return value;
}

std::string line_of(const RecoveryPlan& plan, const std::string& name, const RecoveredFile& file) {
  const std::string shown = base::printable(name);
  if (file.fate == Fate::kLeftOut) return fmt::format("  left out  {}: {}", shown, file.evidence);
  const std::string version = fmt::format(
      "of {}, as snapshot {} has it", base::format_rfc3339_seconds(file.mtime_seconds), short_id(plan, file.snapshot));
  if (file.fate == Fate::kGone) return fmt::format("  gone      {}: comes back {}", shown, version);
  if (file.fate == Fate::kLost)
    return fmt::format("  LOST      {}: no snapshot has it whole; {}", shown, file.evidence);
  return fmt::format("  back      {}: {}; lost is what changed until {}", shown, version,
                     base::format_rfc3339_seconds(file.broken_mtime_seconds));
}

void list_files(Output& output, const RecoveryPlan& plan) {
  output.gather_results();
  std::string folder;
  for (const auto& [path, file] : plan.files) {
    if (output.json()) {
      output.object(to_json(plan, path, file));
      continue;
    }
    const std::size_t slash = path.rfind('/');
    if (const std::string here = path.substr(0, slash + 1); here != folder) {
      folder = here;
      output.line(base::printable(folder));
    }
    output.line(line_of(plan, path.substr(slash + 1), file));
  }
}

// ---- What comes of it ----

struct Totals {
  std::map<Fate, std::uint64_t> files;
  archive::RestoreSummary written;
};

Totals totals_of(const RecoveryPlan& plan) {
  Totals totals;
  for (const auto& [path, file] : plan.files) ++totals.files[file.fate];
  return totals;
}

boost::json::object to_json(const RecoveryPlan& plan, Totals& totals, bool list) {
  return {{"type", "summary"},
          {"snapshot_id", plan.snapshots.front().id.hex()},
          {"clean_snapshot_id", plan.has_clean ? boost::json::value(plan.snapshots[plan.clean].id.hex()) : nullptr},
          {"kept", plan.files_kept},
          {"back", totals.files[Fate::kBack]},
          {"gone", totals.files[Fate::kGone]},
          {"lost", totals.files[Fate::kLost]},
          {"left_out", totals.files[Fate::kLeftOut]},
          {"dry_run", list},
          {"files_restored", totals.written.files_restored},
          {"files_skipped", totals.written.files_skipped},
          {"files_failed", totals.written.files_failed},
          {"bytes_written", totals.written.bytes_written},
          {"bytes_verified", totals.written.bytes_verified},
          {"seconds", totals.written.seconds}};
}

void print(Output& output, const RecoveryPlan& plan, Totals& totals, const RecoverOptions& options) {
  using base::human_count;
  const auto& newest = plan.snapshots.front();
  output.line(fmt::format("{} of {}: {} as they are, {} from before the attack, {} that were gone{}", short_id(plan, 0),
                          base::format_rfc3339(newest.snapshot.started), human_count(plan.files_kept, "file"),
                          human_count(totals.files[Fate::kBack]), human_count(totals.files[Fate::kGone]),
                          totals.files[Fate::kLost] > 0 ? fmt::format(", {} BROKEN without a whole version",
                                                                      human_count(totals.files[Fate::kLost]))
                                                        : ""));
  output.note(plan.has_clean ? fmt::format("  clean point  {} of {}", short_id(plan, plan.clean),
                                           base::format_rfc3339(plan.snapshots[plan.clean].snapshot.started))
                             : std::string("  no snapshot is clean: what is whole is taken file by file"));
  if (totals.files[Fate::kLeftOut] > 0) {
    output.note(
        fmt::format("  left out     {} that came broken since then", human_count(totals.files[Fate::kLeftOut])));
  }
  if (options.list) return;
  output.line(fmt::format(
      "written: {}, {} to {}{}", human_count(totals.written.files_restored, "file"),
      base::human_size(totals.written.bytes_written), options.target,
      totals.written.files_failed > 0 ? fmt::format("; {} FAILED", human_count(totals.written.files_failed)) : ""));
  if (totals.written.bytes_verified > 0) {
    output.note(fmt::format("  {} read back and verified", base::human_size(totals.written.bytes_verified)));
  }
}

void add(archive::RestoreSummary& sum, const archive::RestoreSummary& more) {
  sum.files_restored += more.files_restored;
  sum.files_skipped += more.files_skipped;
  sum.files_failed += more.files_failed;
  sum.folders += more.folders;
  sum.others += more.others;
  sum.bytes_written += more.bytes_written;
  sum.bytes_verified += more.bytes_verified;
  sum.seconds += more.seconds;
}

// From the oldest snapshot that has something to the newest, so that folders end with their newest times.
base::Status write_all(const Context& context, const archive::Repository& repository, const RecoveryPlan& plan,
                       const std::string& path, const RecoverOptions& options, Totals& totals, bool& damage) {
  std::set<std::size_t> numbers = {0};
  for (const auto& [name, file] : plan.files) {
    if (file.fate == Fate::kBack || file.fate == Fate::kGone) numbers.insert(file.snapshot);
  }
  base::Progress progress;
  const ProgressLine line(context.output, progress, "recovering");
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    archive::RestoreOptions job{
        .path = path,
        .target = options.target,
        .wanted = [&](const std::string& at, bool is_folder) { return plan.comes_from(*number, at, is_folder); },
        .overwrite = overwrite_modes().at(options.overwrite),
        .verify = !options.no_verify,
        .numeric_owner = options.numeric_owner,
        .threads = options.threads};
    const auto summary = KURA_TRY(archive::run_restore(
        repository, plan.snapshots[*number], job, progress,
        [&](const std::string& at, const base::Error& error) {
          damage |= error.code() == base::ErrorCode::kDamaged;
          context.output.problem(at, error);
        },
        context.stop));
    warn_of(context, summary.damaged);
    add(totals.written, summary);
  }
  return {};
}

// The newest snapshot that is to be recovered from.
base::Result<archive::StoredSnapshot> find_newest(const Context& context, const archive::Repository& repository,
                                                  const Selection& selection, const std::string& since) {
  if (since.empty()) return selection.find(context, repository);
  const std::int64_t begin = KURA_TRY_AS(base::parse_rfc3339(since), "--since");
  auto snapshots = KURA_TRY(list_snapshots(context, repository));
  std::erase_if(snapshots,
                [&](const auto& stored) { return stored.snapshot.started >= begin || !stored.snapshot.label; });
  if (snapshots.empty()) {
    return base::fail(base::ErrorCode::kNotFound, "there is no snapshot from before " + since,
                      "`kura snapshots` lists them all");
  }
  return snapshots.back();
}

base::Result<RecoveryPlan> plan_of(const Context& context, const archive::Repository& repository,
                                   archive::RecoveryRequest request, const RecoverOptions& options) {
  Judging judging(context.stop);
  base::Progress compared;
  if (!options.no_compare) {
    request.judge = &judging.judge();
    request.compared = &compared;
  }
  std::vector<archive::DamagedObject> damaged;
  const ProgressLine line(context.output, compared, "comparing");
  RecoveryPlan plan = KURA_TRY(archive::plan_recovery(repository, request, damaged, context.stop));
  warn_of(context, damaged);
  judging.warn(context.output);
  return plan;
}

base::Result<ExitCode> run_recover(const Context& context, const RecoverOptions& options) {
  if (options.target.empty() && !options.list) {
    return base::fail(base::ErrorCode::kUsage, "recover needs a folder to write to",
                      "See first what comes back: `kura recover --list`; then give --target DIR");
  }
  const auto selection = KURA_TRY(Selection::parse(options.snapshot));
  const auto repository = KURA_TRY(context.open_unlocked());
  archive::RecoveryRequest request{.newest = KURA_TRY(find_newest(context, repository, selection, options.since)),
                                   .path = selection.path,
                                   .judge = nullptr,
                                   .compared = nullptr};
  const RecoveryPlan plan = KURA_TRY(plan_of(context, repository, std::move(request), options));
  Totals totals = totals_of(plan);
  if (options.list) list_files(context.output, plan);
  bool damage = false;
  if (!options.list) KURA_TRY(write_all(context, repository, plan, selection.path, options, totals, damage));
  if (!context.output.json()) print(context.output, plan, totals, options);
  context.output.object(to_json(plan, totals, options.list));
  if (damage) return kDamage;
  return totals.written.files_failed > 0 ? kFailed : kDone;
}

}  // namespace

void add_recover(CommandTable& table) {
  auto options = std::make_shared<RecoverOptions>();
  CLI::App* command = table.add(
      "recover", "After an attack: every file in its newest version that is whole",
      "Files that the attack did not touch come as they are in the newest snapshot; those that it broke, renamed or\n"
      "deleted come from before. What the attack made of them is left out. What was changed since the clean point\n"
      "and looked whole to its backup is compared with what it was.\n"
      "\n"
      "Examples:\n"
      "  kura recover --list                               what would come back, by folder, and what is lost\n"
      "  kura recover --target /srv/back                   with full paths below the target\n"
      "  kura recover --snapshot latest:/srv/share --target /srv/back\n"
      "  kura recover --since 2026-03-01T22:00 --target /srv/back   nothing from that time on is trusted\n"
      "\n"
      "Run again after an interruption: what is complete is not written again.",
      [options](const Context& context) { return run_recover(context, *options); });
  command->add_option("-t,--target", options->target, "Folder to write to; made when missing")->type_name("DIR");
  command->add_flag("-l,--list", options->list, "Only show what would come back, and what is lost");
  command->add_option("--snapshot", options->snapshot, "The state to recover: " + std::string(kSelectionHelp))
      ->type_name("SNAPSHOT[:PATH]")
      ->capture_default_str();
  command->add_option("--since", options->since, "Take nothing from snapshots of this time and later")
      ->type_name("TIME");
  add_overwrite(command, options->overwrite);
  command->add_flag("--no-compare", options->no_compare,
                    "Believe the backups' verdicts; read no changed file to compare it with what it was");
  command->add_flag("--no-verify", options->no_verify, "Do not read back and compare what was written");
  command->add_flag("--numeric-owner", options->numeric_owner, "Owners by number, not by name");
  add_threads(command, options->threads);
}

}  // namespace kura::app
