#include "guard/watch/names.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "base/time.h"

namespace kura::guard {
namespace {

constexpr std::size_t kMostFolders = 65536;
constexpr int kBeat = 200;  // ms

std::string joined_name(const std::string& folder, std::string_view name) {
  std::string path = folder;
  if (!path.empty()) path += '/';
  path += name;
  return path;
}

}  // namespace

base::Result<std::unique_ptr<NamesWatch>> NamesWatch::open(const Share& share, ActorTable& actors, OnChange on_change,
                                                           OnLost on_lost) {
  std::unique_ptr<NamesWatch> watch(new NamesWatch(share, actors, std::move(on_change), std::move(on_lost)));
  watch->group_ = KURA_TRY(open_names_group(share.root(), share.folder()));
  watch->wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!watch->wake_) return base::fail(base::Error::from_errno("cannot watch " + share.folder(), errno));
  watch->buffer_.resize(kFanotifyBuffer);
  return watch;
}

void NamesWatch::run(const std::stop_token& stop, std::atomic<std::int64_t>& alive) {
  const std::stop_callback wake_up(stop, [this] { ::eventfd_write(wake_.get(), 1); });
  while (!stop.stop_requested()) {
    alive = std::chrono::steady_clock::now().time_since_epoch().count();
    std::array<pollfd, 2> waiting{
        {{.fd = group_.fd.get(), .events = POLLIN, .revents = 0}, {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
    ::poll(waiting.data(), waiting.size(), kBeat);
    eventfd_t ignored = 0;
    ::eventfd_read(wake_.get(), &ignored);
    std::uint64_t wanted = 0;
    {
      const base::MutexLock lock(mutex_);
      wanted = wanted_;
    }
    read_all();
    {
      const base::MutexLock lock(mutex_);
      done_ = wanted;
    }
    caught_up_.notify_all();
  }
}

bool NamesWatch::catch_up(std::chrono::steady_clock::time_point end) {
  const base::MutexLock lock(mutex_);
  const std::uint64_t mine = ++wanted_;
  ::eventfd_write(wake_.get(), 1);
  while (done_ < mine) {
    if (!caught_up_.wait_until(mutex_, end)) return done_ >= mine;
  }
  return true;
}

void NamesWatch::read_all() {
  while (true) {
    const ssize_t got = ::read(group_.fd.get(), buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    for_each_event(std::span(buffer_.data(), static_cast<std::size_t>(got)),
                   [this](const fanotify_event_metadata& head) { take(head); });
  }
}

const std::string* NamesWatch::folder_of(std::string_view handle) {
  const std::string key(handle);
  if (const auto known = folders_.find(key); known != folders_.end()) {
    return known->second.ours ? &known->second.path : nullptr;
  }
  if (folders_.size() >= kMostFolders) folders_.clear();
  Place place;
  // The handle is read by the kernel, which wants it writable and aligned.
  auto copy = std::make_unique<std::uint64_t[]>(key.size() / sizeof(std::uint64_t) + 1);
  std::memcpy(copy.get(), key.data(), key.size());
  const base::UniqueFd folder(
      ::open_by_handle_at(share_.root(), reinterpret_cast<file_handle*>(copy.get()), O_PATH | O_CLOEXEC));
  std::array<char, 4097> link{};
  if (!folder) return nullptr;  // it is gone, and may come back under another handle only
  const ssize_t got = ::readlink(fmt::format("/proc/self/fd/{}", folder.get()).c_str(), link.data(), link.size() - 1);
  if (got > 0) {
    std::string_view path(link.data(), static_cast<std::size_t>(got));
    if (path.front() == '/') path.remove_prefix(1);
    // A folder of the same file system outside of the share has a path, too, but leads somewhere else from here.
    struct stat by_handle{};
    const auto by_path = share_.look_at(std::string(path));
    place.ours = by_path && ::fstat(folder.get(), &by_handle) == 0 && by_path->st_ino == by_handle.st_ino &&
                 by_path->st_dev == by_handle.st_dev;
    place.path = path;
  }
  const auto& kept = folders_.insert_or_assign(key, std::move(place)).first->second;
  return kept.ours ? &kept.path : nullptr;
}

void NamesWatch::take(const fanotify_event_metadata& head) {
  if ((head.mask & FAN_Q_OVERFLOW) != 0) {
    on_lost_();
    return;
  }
  const NameEvent event = name_event_of(head);
  if (event.pid == ::getpid()) return;
  std::string at, from;
  const std::string* folder = event.at.handle.empty() ? nullptr : folder_of(event.at.handle);
  if (folder != nullptr) at = joined_name(*folder, event.at.name);
  const bool here = folder != nullptr;
  folder = event.from.handle.empty() ? nullptr : folder_of(event.from.handle);
  if (folder != nullptr) from = joined_name(*folder, event.from.name);
  if (!here && folder == nullptr) return;
  if ((event.mask & FAN_ONDIR) != 0 && (event.mask & FAN_RENAME) != 0) folders_.clear();
  hand_on(event, event.pid, here ? &at : nullptr, folder != nullptr ? &from : nullptr);
}

// Several things that happened to one name come as one event; what came last is looked for on the disk anyway.
void NamesWatch::hand_on(const NameEvent& event, pid_t pid, const std::string* at, const std::string* from) {
  Change change{.folder = (event.mask & FAN_ONDIR) != 0, .path = {}, .from = {}, .time = base::now_ns(), .actor = {}};
  const auto send = [&](Change::What what, const std::string& path) {
    change.what = what;
    change.path = path;
    if (!change.actor) change.actor = actors_.of(pid);
    on_change_(change);
  };
  if ((event.mask & FAN_RENAME) != 0) {
    if (at != nullptr && from != nullptr) {
      change.from = *from;
      send(Change::What::kRenamed, *at);
    } else if (from != nullptr) {
      send(Change::What::kDeleted, *from);  // out of the share
    } else if (at != nullptr && !change.folder) {
      send(Change::What::kWritten, *at);  // into it
    }
    return;
  }
  if (at == nullptr) return;
  if ((event.mask & FAN_CLOSE_WRITE) != 0 && !change.folder) send(Change::What::kWritten, *at);
  if ((event.mask & FAN_DELETE) != 0) send(Change::What::kDeleted, *at);
}

}  // namespace kura::guard
