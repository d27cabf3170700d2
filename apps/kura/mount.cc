// kura mount
#include "mount/mount.h"

#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "base/escape.h"
#include "command.h"
#include "mount/mount_guard.h"

namespace kura::app {

namespace {

struct MountOptions {
  std::string folder;
  bool allow_other = false;
};

base::Result<ExitCode> run_mount(const Context& context, const MountOptions& options) {
  KURA_TRY(context.need_repository_name());
  KURA_TRY(mount::check_mount_point(options.folder, options.allow_other));
  const std::string folder = std::filesystem::absolute(options.folder).string();
  const mount::MountGuard guard = KURA_TRY(mount::MountGuard::start(folder));
  const auto repository = KURA_TRY(context.open_unlocked());
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
}

}  // namespace kura::app
