#include "mount/mount.h"

#include <utility>

#include "mount/fuse_session.h"

namespace kura::mount {

using base::Result;
using base::Status;

Result<MountSummary> run_mount(const archive::Repository& repository, const MountOptions& options,
                               const MountEvents& events, std::stop_token stop) {
  Troubles troubles(events.trouble);
  const std::unique_ptr<FileSystem> system = KURA_TRY(FileSystem::open(repository, troubles));
  system->warm_up();
  Mounted mounted{.system = *system, .allow_other = options.allow_other};
  const std::unique_ptr<FuseSession> session = KURA_TRY(FuseSession::mount(options.folder, mounted));
  events.mounted(system->snapshot_count());
  const Status served = session->serve(stop);
  session->unmount();
  KURA_TRY(served);
  return MountSummary{.met_damage = troubles.met_damage()};
}

}  // namespace kura::mount
