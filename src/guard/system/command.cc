#include "guard/system/command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include <fmt/format.h>

#include "base/pause.h"
#include "base/unique_fd.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX wants it declared

namespace kura::guard {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostOutput = 16U << 20;

// A file in memory that holds the input, at its beginning.
Result<base::UniqueFd> holding(const std::string& input) {
  base::UniqueFd file(::memfd_create("input", MFD_CLOEXEC));
  if (!file || ::write(file.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size()) ||
      ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return base::fail(Error::from_errno("cannot hand over the input of a command", errno));
  }
  return file;
}

class SpawnFiles {
 public:
  SpawnFiles() { posix_spawn_file_actions_init(&actions_); }
  ~SpawnFiles() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  void put(int fd, int as) { posix_spawn_file_actions_adddup2(&actions_, fd, as); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

Result<pid_t> spawn(const std::vector<std::string>& words, int input, int output) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  SpawnFiles files;
  files.put(input, 0);
  files.put(output, 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, arguments[0], files.get(), &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) return base::fail(Error::from_errno("cannot run " + words[0], failed));
  return pid;
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

// Reads until the other end is closed, or the time is over (false).
bool read_all(int from, Clock::time_point end, const std::stop_token& stop, std::string& output) {
  std::array<char, 64U << 10> buffer;
  while (Clock::now() < end && !stop.stop_requested()) {
    pollfd waiting{.fd = from, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 100) <= 0) continue;
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got <= 0) return true;
    if (output.size() < kMostOutput) output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return false;
}

// The exit code, or nothing when the time is over.
std::optional<int> wait_for(pid_t pid, Clock::time_point end, const std::stop_token& stop) {
  int status = 0;
  while (true) {
    const pid_t done = ::waitpid(pid, &status, WNOHANG);
    if (done == pid) return code_of(status);
    if (done < 0 && errno != EINTR) return 127;
    if (Clock::now() >= end || !base::pause_for(std::chrono::milliseconds(2), stop)) return std::nullopt;
  }
}

}  // namespace

Result<Ran> run_command(const std::vector<std::string>& words, const std::string& input, std::chrono::seconds patience,
                        const std::stop_token& stop) {
  const base::UniqueFd given = KURA_TRY(holding(input));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail(Error::from_errno("cannot run " + words[0], errno));
  const base::UniqueFd from(ends[0]);
  base::UniqueFd to(ends[1]);
  const pid_t pid = KURA_TRY(spawn(words, given.get(), to.get()));
  to.reset();
  const auto end = Clock::now() + patience;
  Ran ran;
  const bool read = read_all(from.get(), end, stop, ran.output);
  const auto code = read ? wait_for(pid, end, stop) : std::nullopt;
  if (!code) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return base::fail(ErrorCode::kIo, fmt::format("{} was not done after {} s", words[0], patience.count()));
  }
  ran.code = *code;
  return ran;
}

}  // namespace kura::guard
