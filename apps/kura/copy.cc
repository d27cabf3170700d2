// kura copy
#include "archive/upkeep/copy.h"

#include <memory>

#include <fmt/format.h>

#include "base/human.h"
#include "command.h"
#include "selection.h"
#include "store/store.h"

namespace kura::app {

namespace {

struct CopyOptions {
  std::string to;
  std::vector<std::string> snapshots;
};

// A repository that is there already with keys of its own, or nothing when a twin is to be made or fed.
base::Result<std::optional<archive::Repository>> foreign_target(const Context& context, const archive::Repository& from,
                                                                std::shared_ptr<store::Store> store) {
  if (store->stat(store::Kind::kConfig, from.config_id())) return std::nullopt;  // whatever else lies beside it
  auto target = archive::Repository::open(std::move(store), context.state_folder());
  if (!target && target.error().code() == base::ErrorCode::kNotFound) return std::nullopt;
  if (!target) return base::fail(std::move(target).error());
  return std::move(*target);
}

base::Result<std::vector<store::ObjectId>> named_snapshots(const Context& context, const archive::Repository& from,
                                                           const std::vector<std::string>& names) {
  std::vector<store::ObjectId> ids;
  if (names.empty()) return ids;
  const archive::SnapshotList list{.snapshots = KURA_TRY(list_snapshots(context, from)), .damaged = {}};
  for (const auto& name : names) ids.push_back(KURA_TRY(archive::find_snapshot(list, name)).id);
  return ids;
}

base::Result<archive::CopySummary> copy(const Context& context, const CopyOptions& options, base::Progress& progress) {
  auto from = KURA_TRY(context.open_repository());
  const auto only = KURA_TRY(named_snapshots(context, from, options.snapshots));
  std::shared_ptr<store::Store> store = KURA_TRY(store::create_store(options.to, context.store_options()));
  const auto foreign = KURA_TRY(foreign_target(context, from, store));
  if (!foreign) {
    ProgressLine line(context.output, progress, "copying");
    return archive::copy_twin(from, *store, only, progress, context.stop);
  }
  KURA_TRY(context.unlock(from));
  ProgressLine line(context.output, progress, "copying");
  return archive::copy_resealed(from, *foreign, only, progress, context.stop);
}

base::Result<ExitCode> run_copy(const Context& context, const CopyOptions& options) {
  base::Progress progress;
  const auto summary = KURA_TRY(copy(context, options, progress));
  if (summary.parity_problem) {
    context.output.warning(
        fmt::format("the parity is not whole: {}. See `kura check` on both sides", summary.parity_problem->message()));
  }
  context.output.object(
      {{"type", "summary"},
       {"snapshots_copied", summary.snapshots_copied},
       {"snapshots_present", summary.snapshots_present},
       {"objects_copied", summary.objects_copied},
       {"bytes_copied", summary.bytes_copied},
       {"parity_problem",
        summary.parity_problem ? boost::json::value(json_text(summary.parity_problem->message())) : nullptr}});
  context.output.line(fmt::format("{} copied to {}, {} there already; {} in {}",
                                  base::human_count(summary.snapshots_copied, "snapshot"), options.to,
                                  base::human_count(summary.snapshots_present), base::human_size(summary.bytes_copied),
                                  base::human_count(summary.objects_copied, "object")));
  return kDone;
}

}  // namespace

void add_copy(CommandTable& table) {
  auto options = std::make_shared<CopyOptions>();
  CLI::App* command =
      table.add("copy", "Copy snapshots to another repository; nothing is stored twice",
                "Examples:\n"
                "  kura copy --to /media/disk2/office            a twin: same keys, no passphrase needed\n"
                "  kura copy --to /srv/other-repo latest         into a repository with other keys: needs\n"
                "                                                the recovery key of this one",
                [options](const Context& context) { return run_copy(context, *options); });
  command->add_option("--to", options->to, "The other repository; made as a twin when there is none")
      ->required()
      ->type_name("REPOSITORY");
  command->add_option("snapshot", options->snapshots, "Only these (default: all)")->type_name("SNAPSHOT");
}

}  // namespace kura::app
