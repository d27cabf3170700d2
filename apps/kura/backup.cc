// kura backup
#include "archive/backup/backup.h"

#include <chrono>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/escape.h"
#include "base/host.h"
#include "base/human.h"
#include "base/time.h"
#include "command.h"
#include "judging.h"
#include "wait_for_copy.h"

namespace kura::app {

namespace {

struct BackupOptions {
  std::vector<std::string> paths, tags, excludes, exclude_files;
  std::string host;
  bool one_file_system = false;
  bool dry_run = false;
  bool emergency = false;
  bool fail_on_attack = false;
  bool no_judging = false;
  unsigned threads = 0;
  std::string compact = "auto";
  std::string wait_for_copy;  // how long; empty: not at all
};

// A pattern a line; empty lines and those that begin with '#' say nothing.
base::Status add_lines(base::GlobSet& globs, std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with('#')) KURA_TRY(globs.add(line));
  }
  return {};
}

base::Result<base::GlobSet> read_excludes(const BackupOptions& options) {
  base::GlobSet globs;
  for (const auto& pattern : options.excludes) KURA_TRY(globs.add(pattern));
  for (const auto& file : options.exclude_files) {
    const std::string text = KURA_TRY_AS(read_text_file(file), "the exclude file");
    KURA_TRY_AS(add_lines(globs, text), "the exclude file " + file);
  }
  return globs;
}

// Nothing: as much as kura thinks right.
base::Result<std::optional<std::uint64_t>> compaction_limit(std::string text) {
  if (text == "auto") return std::nullopt;
  if (text == "off") return std::optional<std::uint64_t>(0);
  const CLI::AsSizeValue as_size(/*kb_is_1000=*/false);
  std::uint64_t bytes = 0;
  if (!as_size(text).empty() || !CLI::detail::lexical_cast(text, bytes)) {
    return base::fail(base::ErrorCode::kUsage, "--compact does not understand this",
                      "give a size such as 500M or 2G, 'auto' or 'off'");
  }
  return bytes;
}

boost::json::object to_json(const archive::BackupSummary& summary, bool dry_run) {
  boost::json::object value{{"type", "summary"}};
  value["snapshot_id"] = dry_run ? boost::json::value(nullptr) : boost::json::value(summary.snapshot_id.hex());
  value["files_total"] = summary.files_total;
  value["files_new"] = summary.files_new;
  value["files_changed"] = summary.files_changed;
  value["files_unmodified"] = summary.files_unmodified;
  value["files_failed"] = summary.files_failed;
  value["folders_total"] = summary.folders_total;
  value["bytes_total"] = summary.bytes_total;
  value["bytes_read"] = summary.bytes_read;
  value["bytes_stored_new"] = summary.bytes_stored_new;
  value["bytes_parity"] = summary.bytes_parity;
  value["parity_problem"] =
      summary.parity_problem ? boost::json::value(json_text(summary.parity_problem->message())) : nullptr;
  value["chunks_new"] = summary.chunks_new;
  value["chunks_reused"] = summary.chunks_reused;
  value["bytes_compacted"] = summary.bytes_compacted;
  value["packs_compacted"] = summary.packs_compacted;
  value["seconds"] = summary.seconds;
  value["verdict"] = archive::name_of(summary.verdict);
  boost::json::array evidence;
  for (const std::string& reason : summary.evidence) evidence.emplace_back(json_text(reason));
  value["evidence"] = std::move(evidence);
  value["dry_run"] = dry_run;
  return value;
}

void tell_verdict(Output& output, const archive::BackupSummary& summary) {
  if (summary.verdict == archive::Verdict::kAttacked) {
    output.warning(
        "THIS LOOKS LIKE AN ATTACK: files that were whole are broken. `kura recover --list` shows what can be had "
        "back");
  } else if (summary.verdict == archive::Verdict::kSuspect) {
    output.warning("this backup is suspect: look at what changed");
  }
  for (const std::string& reason : summary.evidence) output.warning("  " + reason);
}

void print(Output& output, const archive::BackupSummary& summary, bool dry_run) {
  using base::human_count;
  using base::human_size;
  output.line(dry_run ? std::string("dry run: nothing was stored")
                      : fmt::format("snapshot {} saved", summary.snapshot_id.hex().substr(0, 8)));
  output.note(fmt::format("  files   {} new, {} changed, {} unmodified{}", human_count(summary.files_new),
                          human_count(summary.files_changed), human_count(summary.files_unmodified),
                          summary.files_failed ? fmt::format(", {} FAILED", human_count(summary.files_failed)) : ""));
  output.note(fmt::format("  data    {} in {}; {} read, {} {}", human_size(summary.bytes_total),
                          human_count(summary.files_total, "file"), human_size(summary.bytes_read),
                          human_size(summary.bytes_stored_new), dry_run ? "would be new" : "stored"));
  if (summary.bytes_compacted > 0) {
    output.note(fmt::format("  freed   {} stored again out of {}, which go with older snapshots",
                            human_size(summary.bytes_compacted), human_count(summary.packs_compacted, "sparse pack")));
  }
  if (summary.bytes_parity > 0) {
    output.note(fmt::format("  parity  {} beside it", human_size(summary.bytes_parity)));
  }
  const double rate = summary.seconds > 0 ? static_cast<double>(summary.bytes_total) / summary.seconds : 0;
  output.note(fmt::format("  time    {}, {}", base::human_duration(summary.seconds), base::human_rate(rate)));
}

// What the vault keeps is needed now: nothing of it may expire before a person has looked.
base::Status freeze(Output& output, store::Store& store, const archive::BackupSummary& summary) {
  const std::string why = fmt::format("the backup {} looks like an attack: {}", summary.snapshot_id.hex().substr(0, 8),
                                      summary.evidence.empty() ? "" : summary.evidence.front());
  base::Status frozen = store.freeze(why);
  if (frozen) {
    output.note("the vault is frozen: it lets go of nothing until an operator thaws it");
  } else if (frozen.error().code() == base::ErrorCode::kUnsupported) {
    output.warning(frozen.error().hint());
  } else {
    output.warning("the vault could not be frozen: " + frozen.error().text());
  }
  return frozen;
}

// Nothing: nobody waits.
base::Result<std::optional<std::chrono::seconds>> time_to_wait(const BackupOptions& options) {
  if (options.wait_for_copy.empty()) return std::nullopt;
  if (options.dry_run) return base::fail(base::ErrorCode::kUsage, "a dry run makes nothing that could be copied");
  return KURA_TRY_AS(base::parse_duration(options.wait_for_copy), "--wait-for-copy");
}

base::Result<ExitCode> run_backup(const Context& context, const BackupOptions& options) {
  const auto wait = KURA_TRY(time_to_wait(options));
  const auto repository = KURA_TRY(context.open_repository(options.emergency));
  Judging judging(context.stop);
  archive::BackupOptions job{
      .paths = options.paths,
      .tags = options.tags,
      .excludes = KURA_TRY(read_excludes(options)),
      .one_file_system = options.one_file_system,
      .dry_run = options.dry_run,
      .survey = context.output.shows_progress(),
      .host = options.host.empty() ? base::host_name() : options.host,
      .user = base::user_name(),
      .threads = options.threads,
      .judge = options.no_judging ? nullptr : &judging.judge(),
      .compact = KURA_TRY(compaction_limit(options.compact)),
  };
  base::Progress progress;
  auto summary = [&] {
    ProgressLine line(context.output, progress, "backing up");
    return archive::run_backup(
        repository, job, progress,
        [&](const std::string& path, const base::Error& error) { context.output.problem(path, error); }, context.stop);
  }();
  if (!summary) return base::fail(std::move(summary).error());
  warn_of_parity(context.output, summary->parity_problem);
  judging.warn(context.output);
  boost::json::object told = to_json(*summary, options.dry_run);
  told["unjudged"] = judging.failed();
  if (!context.output.json()) print(context.output, *summary, options.dry_run);
  if (!context.output.json()) tell_verdict(context.output, *summary);
  if (summary->verdict == archive::Verdict::kAttacked && !options.dry_run) {
    const base::Status frozen = freeze(context.output, repository.store(), *summary);
    told["frozen"] = frozen.has_value();
  }
  base::Result<std::vector<std::string>> copies;
  if (wait) {
    copies = wait_for_copy(context.output, repository.store(), summary->snapshot_id, *wait, context.stop);
    if (copies) told["copies"] = boost::json::array(copies->begin(), copies->end());
    if (copies) context.output.line(fmt::format("a copy is at {}", fmt::join(*copies, ", ")));
  }
  if (options.emergency) context.output.note("the emergency backup is done; the vault shuts its door behind it");
  // The summary comes last, also when the copy did not come: the snapshot is there.
  context.output.object(told);
  if (!copies) return base::fail(std::move(copies).error());
  if (options.fail_on_attack && summary->verdict == archive::Verdict::kAttacked) return kAttack;
  return summary->files_failed > 0 ? kPartial : kDone;
}

}  // namespace

void add_backup(CommandTable& table) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App* command =
      table.add("backup", "Make a snapshot of files and folders; needs no passphrase",
                "Examples:\n"
                "  kura backup /srv/share /home\n"
                "  kura backup / --one-file-system --exclude /var/cache --exclude '*.iso'\n"
                "  kura backup --tag before-update /etc\n"
                "  kura backup /srv --compact 200M\n"
                "  kura backup /srv --wait-for-copy=2h\n"
                "  kura backup /srv --emergency\n"
                "\n"
                "Patterns: '*' does not cross '/', '**' does; a pattern without '/' matches a name\n"
                "anywhere, with a leading '/' a path from the root; a trailing '/' folders only.\n"
                "What is left of packs that are hardly used any more is stored again from the source, so\n"
                "that `kura gc` can free them: at most a tenth of the source or 64 MiB in one backup (auto), or SIZE.\n"
                "Run again after an interruption: what was stored is not stored again.",
                [options](const Context& context) { return run_backup(context, *options); });
  command->add_option("path", options->paths, "Files and folders")->required()->type_name("PATH");
  command->add_option("--tag", options->tags, "Mark the snapshot (may be repeated)")
      ->type_name("TAG")
      ->allow_extra_args(false);
  command->add_option("-e,--exclude", options->excludes, "Leave out what matches (may be repeated)")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  command->add_option("--exclude-file", options->exclude_files, "Patterns from FILE, one a line, '#' comments")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_flag("-x,--one-file-system", options->one_file_system, "Stay on the file systems of the given paths");
  command->add_option("--host", options->host, "Host name to record")->type_name("NAME");
  command->add_flag("-n,--dry-run", options->dry_run, "Read and count, store nothing");
  command
      ->add_option("--compact", options->compact,
                   "How much to store again at most to free sparse packs: auto, off, or a size (200M, 2G)")
      ->type_name("SIZE");
  command
      ->add_flag("--wait-for-copy{1h}", options->wait_for_copy,
                 "Then wait until the vault says that another vault has the snapshot too: at most 1h, or =TIME")
      ->type_name("TIME");
  command->add_flag("--emergency", options->emergency,
                    "Have the vault open its door now, whatever the hour: a few times a day, and it raises an alarm");
  command->add_flag("--fail-on-attack", options->fail_on_attack, "Exit with 5 when the verdict is attacked");
  command->add_flag("--no-judging", options->no_judging, "Do not look whether files are whole or encrypted");
  add_threads(command, options->threads);
}

}  // namespace kura::app
