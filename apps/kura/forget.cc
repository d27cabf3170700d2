// kura forget
#include "archive/upkeep/forget.h"

#include <memory>
#include <set>

#include <fmt/format.h>

#include "base/human.h"
#include "base/time.h"
#include "command.h"
#include "durations.h"
#include "selection.h"

namespace kura::app {

namespace {

struct ForgetOptions {
  std::vector<std::string> snapshots;
  archive::RetentionPolicy policy;
  std::string within;
  bool dry_run = false;
};

void show(Output& output, const archive::StoredSnapshot& stored, const archive::KeepDecision& decision) {
  boost::json::array reasons;
  for (const auto& reason : decision.reasons) reasons.emplace_back(reason);
  output.object({{"type", "snapshot"},
                 {"id", stored.id.hex()},
                 {"time", base::format_rfc3339(stored.snapshot.started)},
                 {"received", base::format_rfc3339(stored.received)},
                 {"keep", decision.keep},
                 {"reasons", std::move(reasons)}});
  output.note(fmt::format("{}  {}  {}  {}", decision.keep ? "keep  " : "forget", stored.id.hex().substr(0, 8),
                          base::format_rfc3339(stored.received), fmt::join(decision.reasons, ", ")));
}

// Those that were named.
base::Result<std::vector<archive::KeepDecision>> named(const ForgetOptions& options,
                                                       const std::vector<archive::StoredSnapshot>& snapshots) {
  std::set<store::ObjectId> ids;
  const archive::SnapshotList list{.snapshots = snapshots, .damaged = {}};
  for (const auto& name : options.snapshots) ids.insert(KURA_TRY(archive::find_snapshot(list, name)).id);
  std::vector<archive::KeepDecision> decisions;
  for (const auto& stored : snapshots) {
    const bool forget = ids.contains(stored.id);
    decisions.push_back({.id = stored.id, .keep = !forget, .reasons = {forget ? "named" : "not named"}});
  }
  return decisions;
}

base::Result<archive::RetentionPolicy> complete_policy(const ForgetOptions& options) {
  archive::RetentionPolicy policy = options.policy;
  if (!options.within.empty()) policy.within = KURA_TRY(parse_nanoseconds(options.within, "--keep-within"));
  if (policy.empty() == options.snapshots.empty()) {
    return base::fail(base::ErrorCode::kUsage, "say which snapshots to forget, or which to keep",
                      "For example: kura forget 3f2a9c1d, or kura forget --keep-daily 7 --keep-weekly 4");
  }
  return policy;
}

// A read-only store cannot tell its time; the rules by buckets do not need it.
std::int64_t store_time(store::Store& store) { return store.now().value_or(base::now_ns()); }

base::Result<ExitCode> run_forget(const Context& context, const ForgetOptions& options) {
  const auto policy = KURA_TRY(complete_policy(options));
  const auto repository = KURA_TRY(context.open_repository());
  const auto snapshots = KURA_TRY(list_snapshots(context, repository));
  const auto decisions = options.snapshots.empty() ? archive::decide(snapshots, policy, store_time(repository.store()))
                                                   : KURA_TRY(named(options, snapshots));
  std::map<store::ObjectId, const archive::KeepDecision*> by_id;
  for (const auto& decision : decisions) by_id[decision.id] = &decision;

  std::vector<store::ObjectId> forgotten;
  for (const auto& stored : snapshots) {
    const auto& decision = *by_id.at(stored.id);
    if (options.snapshots.empty() || !decision.keep) show(context.output, stored, decision);
    if (!decision.keep) forgotten.push_back(stored.id);
  }
  if (!options.dry_run) KURA_TRY(archive::forget_snapshots(repository, forgotten));
  const std::size_t kept = snapshots.size() - forgotten.size();
  context.output.object(
      {{"type", "summary"}, {"kept", kept}, {"forgotten", forgotten.size()}, {"dry_run", options.dry_run}});
  context.output.line(fmt::format("{} {}, kept {}", options.dry_run ? "would forget" : "forgot",
                                  base::human_count(forgotten.size(), "snapshot"), base::human_count(kept)));
  if (!forgotten.empty() && !options.dry_run) context.output.note("Space is freed by `kura gc`.");
  return kDone;
}

}  // namespace

void add_forget(CommandTable& table) {
  auto options = std::make_shared<ForgetOptions>();
  CLI::App* command = table.add(
      "forget", "Remove snapshots, by name or by a rule of what to keep",
      "Examples:\n"
      "  kura forget --keep-daily 7 --keep-weekly 4 --keep-monthly 12 --dry-run\n"
      "  kura forget 3f2a9c1d\n"
      "\n"
      "The first snapshot that was received in an hour, day, ... is the one that is kept, and time is when the\n"
      "repository received it: no later snapshot pushes it out, whatever time that one claims. The newest of each\n"
      "host and paths always stays.",
      [options](const Context& context) { return run_forget(context, *options); });
  command->add_option("snapshot", options->snapshots, "Forget these")->type_name("SNAPSHOT");
  const auto keep = [&](const char* name, unsigned& count, const char* what) {
    command->add_option(name, count, what)->type_name("N");
  };
  keep("--keep-hourly", options->policy.hourly, "Keep the first of each of the last N hours that have any");
  keep("--keep-daily", options->policy.daily, "The same for days (UTC)");
  keep("--keep-weekly", options->policy.weekly, "The same for weeks (from Monday)");
  keep("--keep-monthly", options->policy.monthly, "The same for months");
  keep("--keep-yearly", options->policy.yearly, "The same for years");
  command->add_option("--keep-within", options->within, "Keep all received in this time: 12h, 14d, 6w, 1y")
      ->type_name("DURATION");
  command->add_flag("-n,--dry-run", options->dry_run, "Only say what would be forgotten");
}

}  // namespace kura::app
