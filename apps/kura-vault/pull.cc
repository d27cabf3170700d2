// kura-vault pull
#include <memory>

#include <fmt/format.h>

#include "base/human.h"
#include "base/time.h"
#include "command.h"
#include "serving.h"

namespace kura::app {

namespace {

struct PullCommandOptions {
  bool once = false;
  UpkeepFlags upkeep;
  PullFlags pull;
};

// What came of each repository. Returns whether all of them are followed on.
bool tell_repositories(const Context& context, const vault::Puller& puller) {
  bool all_go_on = true;
  for (const vault::FollowedVault& followed : puller.status()) {
    for (const vault::FollowedState& state : followed.repositories) {
      all_go_on = all_go_on && state.state != "stopped";
      context.output.result(
          [&] {
            return fmt::format("{:<16} {:<24} {}, behind by {}{}{}", followed.vault.name, state.repository, state.state,
                               base::human_count(state.behind, "snapshot"), state.why.empty() ? "" : ": ", state.why);
          },
          [&] {
            return boost::json::object{{"type", "repository"},
                                       {"vault", followed.vault.name},
                                       {"repository", state.repository},
                                       {"state", state.state},
                                       {"why", state.why},
                                       {"behind", state.behind}};
          });
    }
  }
  return all_go_on;
}

base::Result<ExitCode> pull_once(const Context& context, const UpkeepFlags& upkeep, const vault::PullOptions& options) {
  const auto site = KURA_TRY(vault::Site::open(context.options.root, site_options(context, upkeep, nullptr)));
  if (site->followings().all().empty()) {
    return base::fail(base::ErrorCode::kUsage, "this vault follows no other one",
                      "run `kura-vault pull`, and tell it whom to follow with `kura-vault follow`");
  }
  vault::Puller puller(site->followings(), home_of(*site, context.output), options);
  const auto counts = puller.round(context.stop);
  const bool all_go_on = tell_repositories(context, puller);
  if (!counts) return base::fail(counts.error());
  context.output.object({{"type", "summary"},
                         {"snapshots", counts->commits},
                         {"objects", counts->objects},
                         {"bytes", counts->bytes},
                         {"alarms", counts->alarms},
                         {"repaired_here", counts->repaired_here},
                         {"repaired_there", counts->repaired_there},
                         {"behind", counts->behind}});
  context.output.line(fmt::format("{} came, {} of objects; alarms: {}", base::human_count(counts->commits, "snapshot"),
                                  base::human_size(counts->bytes), counts->alarms));
  if (counts->repaired_here + counts->repaired_there != 0) {
    context.output.line(fmt::format("repaired: {} here, {} at vaults that it follows",
                                    base::human_count(counts->repaired_here, "object"), counts->repaired_there));
  }
  if (counts->alarms > 0 || !all_go_on) return kDamage;
  return counts->behind > 0 || counts->waiting > 0 ? kFailed : kDone;
}

base::Result<ExitCode> run_pull(const Context& context, const PullCommandOptions& options) {
  const vault::PullOptions pull = KURA_TRY(pull_options(options.pull));
  if (options.once) return pull_once(context, options.upkeep, pull);
  return run_vault(context, std::nullopt, options.upkeep, pull);
}

}  // namespace

void add_pull(CommandTable& table) {
  auto options = std::make_shared<PullCommandOptions>();
  CLI::App* command =
      table.add("pull", "Follow other vaults, reachable by nobody, until it is told to stop (SIGTERM)",
                "Examples:\n  kura-vault --root /srv/vault pull\n"
                "  kura-vault --root /srv/vault pull --rate-at 08:00-19:00=5M --connections 8\n"
                "  kura-vault --root /srv/vault pull --once\n\n"
                "Whom it follows is told with `kura-vault follow`, while it runs. With --once the exit code is 4 when "
                "something\nis wrong with a vault that it follows, and 1 when not all came.",
                [options](const Context& context) { return run_pull(context, *options); });
  command->add_flag("--once", options->once, "Once through, and end; nothing else runs meanwhile");
  add_upkeep_options(command, options->upkeep);
  add_pull_options(command, options->pull);
}

}  // namespace kura::app
