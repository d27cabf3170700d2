// kura mount
#include "mount/mount.h"

#include <malloc.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/time.h"
#include "command.h"
#include "mount/mount_guard.h"

namespace kura::app {

namespace {

struct MountOptions {
  std::string folder;
  bool allow_other = false;
  std::string patience;
};

base::Result<std::chrono::seconds> patience_of(const MountOptions& options) {
  const auto time = KURA_TRY_AS(base::parse_duration(options.patience), "--patience");
  if (time >= std::chrono::seconds(1) && time <= std::chrono::hours(1)) return time;
  return base::fail(base::ErrorCode::kUsage, "--patience is not between 1s and 1h");
}

// The many threads of a mount take and free texts of about 1 MiB all day. From one heap, which keeps what is free until
// the next read, that costs half of the memory and a third of the processor time of a heap for each thread: fresh
// memory means page faults (docs/performance.md). Contention is no matter, for small pieces come from each thread's own
// cache.
void use_one_heap() {
  constexpr int kLargestPiece = 32 << 20;  // bytes; the most that the C library takes
  constexpr int kMostFree = 64 << 20;
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, kLargestPiece);
  ::mallopt(M_TRIM_THRESHOLD, kMostFree);
}

base::Result<ExitCode> run_mount(const Context& context, const MountOptions& options) {
  KURA_TRY(context.need_repository_name());
  const std::chrono::seconds patience = KURA_TRY(patience_of(options));
  use_one_heap();
  KURA_TRY(mount::check_mount_point(options.folder, options.allow_other));
  const std::string folder = std::filesystem::absolute(options.folder).string();
  const mount::MountGuard guard = KURA_TRY(mount::MountGuard::start(folder));
  const auto repository = KURA_TRY(context.open_unlocked(patience));
  const mount::MountEvents events{
      .mounted =
          [&](std::size_t snapshots) {
            context.output.object({{"type", "mounted"}, {"path", json_text(folder)}, {"snapshots", snapshots}});
            context.output.line(fmt::format("mounted at {}; unmount with: fusermount3 -u {} (or Ctrl-C here)",
                                            base::printable(folder), base::printable(folder)));
          },
      .trouble = [&](const std::string& path, const base::Error& error) { context.output.problem(path, error); }};
  const auto summary = KURA_TRY(
      mount::run_mount(repository, {.folder = folder, .allow_other = options.allow_other}, events, context.stop));
  context.output.object({{"type", "summary"}, {"path", json_text(folder)}, {"damage", summary.met_damage}});
  context.output.note(fmt::format("unmounted {}", base::printable(folder)));
  return summary.met_damage ? kDamage : kDone;
}

}  // namespace

void add_mount(CommandTable& table) {
  auto options = std::make_shared<MountOptions>();
  CLI::App* command =
      table.add("mount", "Show all snapshots as a read-only file system",
                "Examples:\n"
                "  kura mount /mnt/kura                   stays until Ctrl-C or: fusermount3 -u /mnt/kura\n"
                "  ls /mnt/kura/snapshots                 each snapshot by its time, UTC\n"
                "  cp -a /mnt/kura/latest/srv/share/plan.xlsx /srv/share/\n"
                "  mount -o ro,loop /mnt/kura/latest/srv/vm/disk.img /mnt/disk\n"
                "\n"
                "latest and clean lead to the newest snapshot, and the newest that was judged clean.",
                [options](const Context& context) { return run_mount(context, *options); });
  command->add_option("folder", options->folder, "Empty folder to mount at")->required()->type_name("DIR");
  command->add_flag("--allow-other", options->allow_other,
                    "Other users may look too, as far as the files' own permissions let them");
  command
      ->add_option("--patience", options->patience,
                   "How long readers wait for a repository that does not answer, until they get an error")
      ->default_val("10s")
      ->type_name("TIME");
}

}  // namespace kura::app
