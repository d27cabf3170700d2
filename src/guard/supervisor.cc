#include "guard/supervisor.h"

#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <optional>

#include <fmt/format.h>

#include "base/pause.h"
#include "base/time.h"
#include "base/unique_fd.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX wants it declared

namespace kura::guard {
namespace {

using Clock = std::chrono::steady_clock;
using base::Error;
using base::Result;
using base::Status;

constexpr int kChildFd = 3;

Result<Heartbeat*> map_heartbeat(int fd) {
  void* const at = ::mmap(nullptr, sizeof(Heartbeat), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return base::fail(Error::from_errno("cannot share memory with the watchdog", errno));
  return static_cast<Heartbeat*>(at);
}

class Child {
 public:
  Child(const std::vector<std::string>& words, int heartbeat) : words_(words), heartbeat_(heartbeat) {}

  Status start() {
    std::vector<char*> arguments;
    for (const std::string& word : words_) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, heartbeat_, kChildFd);
    const int failed = ::posix_spawn(&pid_, "/proc/self/exe", &files, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0) return base::fail(Error::from_errno("cannot start the guard", failed));
    return {};
  }
  // The status when it has ended.
  std::optional<int> ended() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    return status;
  }
  void signal(int number) const { ::kill(pid_, number); }
  int wait() const {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

 private:
  const std::vector<std::string>& words_;
  int heartbeat_;
  pid_t pid_ = -1;
};

bool is_late(std::int64_t beat, std::chrono::milliseconds patience) {
  return beat != 0 && Clock::now().time_since_epoch().count() - beat > std::chrono::nanoseconds(patience).count();
}

void tell_alarm(const OnEvent& on_event, const char* what, const std::string& message) {
  on_event({{"type", "alarm"}, {"time", base::format_rfc3339(base::now_ns())}, {"what", what}, {"message", message}},
           "ALARM: " + message);
}

// Until the child ends, by itself or because it is late. Its status; nothing when a stop was asked for.
std::optional<int> watch_over(Child& child, const Heartbeat& beat, const OnEvent& on_event, const Patience& patience,
                              const std::stop_token& stop) {
  while (base::pause_for(std::chrono::milliseconds(50), stop)) {
    if (const auto status = child.ended()) return status;
    if (!is_late(beat.opens, patience.opens) && !is_late(beat.names, patience.names)) continue;
    child.signal(SIGKILL);
    const int status = child.wait();
    tell_alarm(on_event, "stalled",
               "the guard did not answer in time and was ended: files are open to all until it is back");
    return status;
  }
  return std::nullopt;
}

}  // namespace

Result<Heartbeat*> heartbeat_under_watch(int fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return map_heartbeat(fd);
}

Status supervise(const std::vector<std::string>& words, const OnEvent& on_event, const Patience& patience,
                 const std::stop_token& stop) {
  const base::UniqueFd memory(::memfd_create("kura-guard-heartbeat", MFD_CLOEXEC));
  if (!memory || ::ftruncate(memory.get(), sizeof(Heartbeat)) != 0) {
    return base::fail(Error::from_errno("cannot share memory with the guard", errno));
  }
  Heartbeat* const beat = new (KURA_TRY(map_heartbeat(memory.get()))) Heartbeat;
  std::vector<std::string> child_words = words;
  child_words.insert(child_words.end(), {"--under-watch", std::to_string(kChildFd)});
  Child child(child_words, memory.get());
  std::chrono::milliseconds wait{100};
  while (!stop.stop_requested()) {
    beat->opens = 0;
    beat->names = 0;
    const auto begun = Clock::now();
    KURA_TRY(child.start());
    const auto status = watch_over(child, *beat, on_event, patience, stop);
    if (!status) {
      child.signal(SIGTERM);
      child.wait();
      return {};
    }
    if (beat->names == 0) {  // it never came so far as to watch, and said why
      return base::fail(base::ErrorCode::kIo, "the guard could not begin", "its own message says why");
    }
    if (stop.stop_requested()) return {};
    tell_alarm(on_event, "ended",
               fmt::format("the guard ended ({}) and is started anew",
                           WIFSIGNALED(*status) ? fmt::format("signal {}", WTERMSIG(*status))
                                                : fmt::format("code {}", WEXITSTATUS(*status))));
    wait = Clock::now() - begun > std::chrono::minutes(1)
               ? std::chrono::milliseconds(100)
               : std::min<std::chrono::milliseconds>(wait * 2, std::chrono::seconds(5));
    base::pause_for(wait, stop);
  }
  return {};
}

}  // namespace kura::guard
