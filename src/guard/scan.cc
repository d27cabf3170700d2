#include "guard/scan.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/time.h"
#include "detect/inspect/folder_walk.h"

namespace kura::guard {
namespace {

bool is_as_known(const struct stat& facts, const Remembered& known) {
  return known.gone == 0 && known.inode == facts.st_ino && known.modified == modified_ns(facts) &&
         known.version.size == static_cast<std::uint64_t>(facts.st_size);
}

// A third of the weight of who works: enough to judge a file within milliseconds on a busy server.
constexpr int kBehind = 5;

}  // namespace

void run_at_lowest_priority() {
  constexpr int kOneProcess = 1;  // IOPRIO_WHO_PROCESS: a thread, in fact
  constexpr int kIdle = 3 << 13;  // IOPRIO_CLASS_IDLE
  ::syscall(SYS_ioprio_set, kOneProcess, 0, kIdle);
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
}

void run_behind_others() {
  const auto thread = static_cast<id_t>(::gettid());
  ::setpriority(PRIO_PROCESS, thread, ::getpriority(PRIO_PROCESS, thread) + kBehind);
  const sched_param none{};
  ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &none);
}

base::Status scan(const Share& share, Memory& memory, Judging& judging, const ActorPointer& unseen, bool first,
                  const std::string& skip, ScanCounts& counts, const std::stop_token& stop) {
  counts.files = 0;
  counts.changed = 0;
  Change change{.unnoticed = true, .path = {}, .from = {}, .time = 0, .actor = unseen};
  const auto look_at = [&](const std::string& path) {
    const auto facts = share.look_at(path);
    if (!facts || !S_ISREG(facts->st_mode)) return;
    ++counts.files;
    const auto known = memory.file(path);
    judging.hold(path);
    if (known && is_as_known(*facts, *known)) return;
    if (first) return judging.learn(path);
    ++counts.changed;
    change.what = Change::What::kWritten;
    change.path = path;
    change.time = base::now_ns();
    judging.judge(change);
  };
  const auto on_folder = [&](const std::string& folder, const std::vector<detect::FoundFile>& files) -> base::Status {
    KURA_TRY(base::not_stopped(stop));
    if (!skip.empty() && (folder == skip || folder.starts_with(skip + "/"))) return {};
    for (const detect::FoundFile& file : files) {
      KURA_TRY(base::not_stopped(stop));
      look_at(detect::joined(folder, file.name));
    }
    return {};
  };
  KURA_TRY(detect::walk_folders(share.unseen(), on_folder, [](const std::string&, const base::Error&) {}));
  if (first) return {};
  for (const std::string& path : memory.files_below("")) {
    KURA_TRY(base::not_stopped(stop));
    if (share.exists(path)) continue;
    change.what = Change::What::kDeleted;
    change.path = path;
    change.time = base::now_ns();
    judging.judge(change);
  }
  return {};
}

}  // namespace kura::guard
