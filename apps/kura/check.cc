// kura check
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "archive/upkeep/check_repair.h"
#include "base/human.h"
#include "base/number.h"
#include "command.h"

namespace kura::app {

namespace {

struct CheckOptions {
  std::string read_data;
  unsigned threads = 0;
  bool repair = false;
  bool dry_run = false;
};

// "" all, "10%" a share by chance, "0" nothing but the small objects.
base::Result<double> parse_share(std::string_view text) {
  if (text.empty()) return 1.0;
  const bool percent = text.ends_with('%');
  const std::string_view number = percent ? text.substr(0, text.size() - 1) : text;
  const auto value = base::parse_number<double>(number);
  const double share = percent ? value.value_or(0) / 100 : value.value_or(0);
  if (!value || std::isnan(share) || share < 0 || share > 1) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("--read-data={} is no share of the data", text),
                      "Write a percentage such as --read-data=10%, or a number from 0 to 1");
  }
  return share;
}

boost::json::string path_of(store::Kind kind, const store::ObjectId& id) {
  return json_text(fmt::format("{}/{}", store::folder_of(kind), id.hex()));
}

boost::json::object to_json(const archive::CheckFinding& finding) {
  boost::json::array snapshots;
  for (const auto& id : finding.snapshots) snapshots.emplace_back(id.hex());
  return {{"type", "error"},
          {"path", path_of(finding.kind, finding.id)},
          {"message", json_text(finding.error.message())},
          {"code", base::name_of(finding.error.code())},
          {"snapshots", std::move(snapshots)}};
}

boost::json::object to_json(const archive::CheckSummary& summary) {
  return {{"type", "summary"},
          {"objects", summary.objects},
          {"bytes_read", summary.bytes_read},
          {"snapshots", summary.snapshots},
          {"packs", summary.packs},
          {"indexes", summary.indexes},
          {"keys", summary.keys},
          {"chunks_opened", summary.chunks_opened},
          {"orphan_packs", summary.orphan_packs},
          {"packs_replaced", summary.packs_replaced},
          {"parity_shards", summary.parity},
          {"parity_bytes", summary.parity_bytes},
          {"packs_unprotected", summary.packs_unprotected},
          {"packs_weak", summary.packs_weak},
          {"errors", summary.findings},
          {"opened", summary.opened},
          {"seconds", summary.seconds}};
}

void report(Output& output, const archive::CheckFinding& finding) {
  if (output.json()) return output.object(to_json(finding));
  std::string suffering;
  for (const auto& id : finding.snapshots) suffering += (suffering.empty() ? "" : ", ") + id.hex().substr(0, 8);
  if (!suffering.empty()) suffering = "; snapshots that need it: " + suffering;
  output.line(fmt::format("DAMAGED {}{}", finding.error.text(), suffering));
}

boost::json::object to_json(const archive::RepairOutcome& outcome, bool dry_run) {
  boost::json::object value{{"type", "repair"},
                            {"path", path_of(outcome.object.kind, outcome.object.id)},
                            {"repaired", !outcome.problem.has_value()},
                            {"dry_run", dry_run}};
  if (outcome.problem) {
    value["message"] = json_text(outcome.problem->message());
  } else {
    value["size"] = outcome.size;
    value["blocks"] = outcome.blocks;
    value["blocks_lost"] = outcome.blocks_lost;
  }
  return value;
}

void report(Output& output, const archive::RepairOutcome& outcome, bool dry_run) {
  if (output.json()) return output.object(to_json(outcome, dry_run));
  if (outcome.problem) return output.line(fmt::format("NOT REPAIRED {}", outcome.problem->text()));
  output.line(fmt::format("{} {} {}: {} of its {} were lost", dry_run ? "would repair" : "REPAIRED",
                          store::name_of(outcome.object.kind), outcome.object.id.hex(),
                          base::human_count(outcome.blocks_lost), base::human_count(outcome.blocks, "block")));
}

void tell_coverage(Output& output, const archive::CheckSummary& summary) {
  if (summary.parity > 0) {
    output.note(fmt::format("  parity: {}, {}", base::human_count(summary.parity, "shard"),
                            base::human_size(summary.parity_bytes)));
  }
  if (summary.packs_unprotected + summary.packs_weak > 0) {
    output.note(
        fmt::format("  without parity: {}, with less than there should be: {}. `kura gc` makes it; a backup that "
                    "is at work makes that of its packs at its end",
                    base::human_count(summary.packs_unprotected, "pack"), base::human_count(summary.packs_weak)));
  }
}

void tell(Output& output, const archive::CheckSummary& summary) {
  if (summary.packs_replaced > 0) {
    output.warning(fmt::format(
        "missing: {} that snapshots name, but what the snapshots need of them is stored again in other packs: "
        "nothing is lost of it",
        base::human_count(summary.packs_replaced, "pack")));
  }
  output.note(fmt::format("  {}, {}, {}, {}; {} read in {}{}", base::human_count(summary.snapshots, "snapshot"),
                          base::human_count(summary.packs, "pack"), base::human_count(summary.indexes, "index"),
                          base::human_count(summary.keys, "key"), base::human_size(summary.bytes_read),
                          base::human_duration(summary.seconds),
                          summary.opened ? fmt::format("; {} opened", base::human_count(summary.chunks_opened, "chunk"))
                                         : "; without the recovery key: nothing was opened"));
  tell_coverage(output, summary);
}

base::Result<archive::Repository> open_with_keys(const Context& context) {
  auto repository = KURA_TRY(context.open_repository());
  KURA_TRY(context.unlock_if_given(repository));
  return repository;
}

base::Result<ExitCode> check_only(const Context& context, const archive::CheckOptions& job) {
  const auto repository = KURA_TRY(open_with_keys(context));
  base::Progress progress;
  auto summary = [&] {
    ProgressLine line(context.output, progress, "checking");
    return archive::run_check(
        repository, job, progress, [&](const archive::CheckFinding& finding) { report(context.output, finding); },
        context.stop);
  }();
  if (!summary) return base::fail(std::move(summary).error());
  tell(context.output, *summary);
  context.output.object(to_json(*summary));
  if (summary->findings > 0 && summary->parity > 0) {
    context.output.note("  `kura check --repair` repairs what the parity can bring back");
  }
  context.output.line(summary->findings == 0 ? std::string("no errors were found")
                                             : fmt::format("{} found", base::human_count(summary->findings, "ERROR")));
  return summary->findings == 0 ? kDone : kDamage;
}

boost::json::object to_json(const archive::CheckRepairSummary& summary, bool dry_run) {
  boost::json::object value = summary.check ? to_json(*summary.check) : boost::json::object{{"type", "summary"}};
  value["objects_repaired"] = summary.objects_repaired;
  value["objects_not_repaired"] = summary.objects_left;
  value["bytes_repaired"] = summary.bytes_repaired;
  value["blocks_repaired"] = summary.blocks_repaired;
  value["dry_run"] = dry_run;
  return value;
}

std::string verdict_of(const archive::CheckRepairSummary& summary, bool dry_run) {
  const std::string repaired =
      summary.objects_repaired == 0
          ? ""
          : fmt::format("{} {}, {}; ", base::human_count(summary.objects_repaired, "object"),
                        dry_run ? "would be repaired" : "repaired", base::human_size(summary.bytes_repaired));
  if (!summary.check) return repaired + "run it without --dry-run to see the rest: the config is among them";
  const std::uint64_t errors = summary.check->findings;
  if (errors == 0) return repaired + "no errors were found";
  return fmt::format("{}{} {}", repaired, base::human_count(errors, "ERROR"), dry_run ? "found" : "left");
}

base::Result<ExitCode> check_and_repair(const Context& context, const archive::CheckOptions& job, bool dry_run) {
  KURA_TRY(context.need_repository_name());
  const auto store = KURA_TRY(store::open_store(context.options.repository, context.store_options()));
  const archive::CheckRepairEvents events{
      .on_finding = [&](const archive::CheckFinding& finding) { report(context.output, finding); },
      .on_repair = [&](const archive::RepairOutcome& outcome) { report(context.output, outcome, dry_run); }};
  base::Progress progress;
  auto summary = [&] {
    ProgressLine line(context.output, progress, "checking and repairing");
    return archive::check_and_repair(
        *store, [&] { return open_with_keys(context); }, {.check = job, .dry_run = dry_run}, progress, events,
        context.stop);
  }();
  if (!summary) return base::fail(std::move(summary).error());
  if (summary->check) tell(context.output, *summary->check);
  context.output.object(to_json(*summary, dry_run));
  const bool is_whole = summary->check && summary->check->findings == 0;
  if (!is_whole && !summary->has_parity) {
    context.output.line(
        "this repository has no parity, so nothing can be repaired: copy what is damaged back from "
        "another copy of it. A new one gets parity by `kura init --parity`");
  }
  context.output.line(verdict_of(*summary, dry_run));
  return is_whole ? kDone : kDamage;
}

base::Result<ExitCode> run_check(const Context& context, const CheckOptions& options) {
  const archive::CheckOptions job{.read_data = KURA_TRY(parse_share(options.read_data)), .threads = options.threads};
  return options.repair ? check_and_repair(context, job, options.dry_run) : check_only(context, job);
}

}  // namespace

void add_check(CommandTable& table) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command =
      table.add("check", "Prove the repository whole; with the recovery key also open everything",
                "Examples:\n"
                "  kura check                       every stored byte against its name, no passphrase needed\n"
                "  kura check --passphrase-file p   and every chunk opened and compared\n"
                "  kura check --read-data=5%        of the packs only a share, chosen by chance\n"
                "  kura check --repair --dry-run    what parity would repair\n"
                "  kura check --repair              repair it in place, and check that again\n"
                "\n"
                "A repair needs parity (`kura init --parity`) and no key; it works on a repository whose\n"
                "config is lost too. Exit code 0: all is whole, or whole again; 4: something is left.\n"
                "The recovery key is used when it is given by a file or the environment; it is not asked for.",
                [options](const Context& context) { return run_check(context, *options); });
  command->add_option("--read-data", options->read_data, "Share of the packs to read: 0 to 1, or a percentage (all)")
      ->expected(0, 1)
      ->type_name("SUBSET");
  auto* const repair =
      command->add_flag("--repair", options->repair, "Repair in place, by parity, what is damaged or gone");
  command->add_flag("-n,--dry-run", options->dry_run, "With --repair: only say what would be repaired")->needs(repair);
  add_threads(command, options->threads);
}

}  // namespace kura::app
