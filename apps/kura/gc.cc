// kura gc
#include "archive/upkeep/gc.h"

#include <memory>

#include <fmt/format.h>

#include "base/human.h"
#include "command.h"
#include "durations.h"

namespace kura::app {

namespace {

struct GcOptions {
  bool dry_run = false;
  std::string keep_orphans;
};

// What damage keeps from being freed.
void warn_of_losses(const Context& context, const archive::GcSummary& summary) {
  if (summary.packs_lost == 0) return;
  const std::string kept =
      summary.kept_all
          ? "no pack was freed, because any may hold again what they held. With the machine's key, and all "
            "indexes whole, gc can tell which do; without, it frees again when the snapshots that need "
            "them are forgotten"
          : "what was stored again of them is kept";
  context.output.warning(
      fmt::format("missing or too short: {} that snapshots need; {}. `kura check` names "
                  "them and the snapshots",
                  base::human_count(summary.packs_lost, "pack"), kept));
}

void tell_parity(Output& output, const archive::MaintenanceSummary& parity, bool dry_run) {
  if (parity.shards_written > 0 || parity.shards_removed > 0) {
    output.note(fmt::format("parity: {} {}, {} in {}; {} removed", dry_run ? "would cover" : "covered",
                            base::human_count(parity.objects_covered, "object"), base::human_size(parity.bytes_written),
                            base::human_count(parity.shards_written, "shard"),
                            base::human_count(parity.shards_removed)));
  }
  if (parity.objects_left > 0) {
    output.warning(fmt::format("without parity still: {} that cannot be read whole. `kura check` names them",
                               base::human_count(parity.objects_left, "object")));
  }
}

base::Result<ExitCode> run_gc(const Context& context, const GcOptions& options) {
  archive::GcOptions job{.dry_run = options.dry_run};
  if (!options.keep_orphans.empty()) {
    job.keep_orphans = KURA_TRY(parse_nanoseconds(options.keep_orphans, "--keep-orphans"));
  }
  const auto repository = KURA_TRY(context.open_repository());
  base::Progress progress;
  auto summary = [&] {
    ProgressLine line(context.output, progress, "collecting");
    return archive::collect_garbage(repository, job, progress, context.stop);
  }();
  if (!summary) return base::fail(std::move(summary).error());
  warn_of_losses(context, *summary);
  context.output.object({{"type", "summary"},
                         {"packs_total", summary->packs_total},
                         {"packs_removed", summary->packs_removed},
                         {"indexes_removed", summary->indexes_removed},
                         {"bytes_total", summary->bytes_total},
                         {"bytes_freed", summary->bytes_freed},
                         {"packs_waiting", summary->packs_waiting},
                         {"bytes_waiting", summary->bytes_waiting},
                         {"packs_lost", summary->packs_lost},
                         {"parity_shards_written", summary->parity.shards_written},
                         {"parity_shards_removed", summary->parity.shards_removed},
                         {"parity_bytes_written", summary->parity.bytes_written},
                         {"parity_objects_left", summary->parity.objects_left},
                         {"dry_run", options.dry_run}});
  context.output.line(fmt::format("{} {} in {}, of {} in {}", options.dry_run ? "would free" : "freed",
                                  base::human_size(summary->bytes_freed),
                                  base::human_count(summary->packs_removed, "pack"),
                                  base::human_size(summary->bytes_total), base::human_count(summary->packs_total)));
  tell_parity(context.output, summary->parity, options.dry_run);
  if (summary->packs_waiting > 0) {
    context.output.note(
        fmt::format("{} in {}: not yet, a running job may still need it. Run gc again when it has ended.",
                    base::human_size(summary->bytes_waiting), base::human_count(summary->packs_waiting, "pack")));
  }
  return kDone;
}

}  // namespace

void add_gc(CommandTable& table) {
  auto options = std::make_shared<GcOptions>();
  CLI::App* command = table.add("gc", "Free the space that no snapshot needs",
                                "Examples:\n"
                                "  kura gc --dry-run\n"
                                "  kura forget --keep-daily 7 && kura gc\n"
                                "\n"
                                "Backups may run meanwhile: what they may need waits for the next run.",
                                [options](const Context& context) { return run_gc(context, *options); });
  command->add_flag("-n,--dry-run", options->dry_run, "Only say what would be freed");
  command
      ->add_option("--keep-orphans", options->keep_orphans,
                   "Leave what interrupted backups have stored for so long, to be taken up (1d)")
      ->type_name("DURATION");
}

}  // namespace kura::app
