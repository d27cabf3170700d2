#include "detect/confined/judge_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "detect/confined/judge_server.h"
#include "detect/confined/messages.h"

namespace kura::detect {
namespace {

using base::Result;
using base::Status;
using base::UniqueFd;

constexpr int kAboveGiven = 10;  // no descriptor that is passed on lies where one is put
constexpr std::size_t kLongestHello = 4096;

std::unexpected<base::Error> cannot(std::string_view what, int reason) {
  return base::fail(base::Error::from_errno(what, reason));
}

UniqueFd raised(UniqueFd fd) { return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kAboveGiven)); }

struct Ends {
  UniqueFd ours, its;
};

Result<Ends> connected() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return cannot("cannot make a channel", errno);
  }
  UniqueFd ours(ends[0]);
  UniqueFd its = raised(UniqueFd(ends[1]));
  if (!its) return cannot("cannot make a channel", errno);
  return Ends{std::move(ours), std::move(its)};
}

struct SharedMemory {
  UniqueFd file;
  base::MutableByteSpan bytes;
};

Result<SharedMemory> share_memory() {
  UniqueFd file = raised(UniqueFd(::memfd_create("kura-judge", MFD_CLOEXEC)));
  if (!file || ::ftruncate(file.get(), kSharedBytes) != 0) return cannot("cannot make shared memory", errno);
  void* const at = ::mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (at == MAP_FAILED) return cannot("cannot map shared memory", errno);
  return SharedMemory{std::move(file), {static_cast<std::uint8_t*>(at), kSharedBytes}};
}

// What is said of it goes nowhere: the process could be told by a file what to say.
Result<pid_t> spawn(const std::string& program, int socket, int memory) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&files, 0, 1);
#if !defined(__SANITIZE_ADDRESS__)
  posix_spawn_file_actions_adddup2(&files, 0, 2);
#endif
  posix_spawn_file_actions_adddup2(&files, socket, kJudgeSocket);
  posix_spawn_file_actions_adddup2(&files, memory, kJudgeMemory);
  posix_spawn_file_actions_addclosefrom_np(&files, kJudgeMemory + 1);
  std::string name = "kura";
  std::string word = kServeJudge;
  std::array<char*, 3> arguments{name.data(), word.data(), nullptr};
  std::array<char*, 1> no_environment{nullptr};  // passphrases may lie in ours
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program.c_str(), &files, nullptr, arguments.data(), no_environment.data());
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return cannot("cannot start " + program, failed);
  return pid;
}

std::string words_for(int status) {
  if (WIFEXITED(status)) return fmt::format("it ended with exit code {}", WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  if (number == SIGSYS) return "it was ended because it tried what it may not do";
  return fmt::format("it was ended by signal {} ({})", number, sigdescr_np(number));
}

}  // namespace

Result<JudgeProcess> JudgeProcess::start(const std::string& program, const Patience& patience) {
  Ends ends = KURA_TRY(connected());
  const SharedMemory memory = KURA_TRY(share_memory());
  JudgeProcess process(Channel(std::move(ends.ours)), memory.bytes);
  process.pid_ = KURA_TRY(spawn(program, ends.its.get(), memory.file.get()));
  ends.its.reset();
  const auto hello = process.channel_.receive(kLongestHello, patience);
  if (!hello) {
    const std::string how = process.end();
    return base::fail(base::Error(hello.error()).within(how.empty() ? "it did not begin" : how));
  }
  if (!hello->bytes.empty()) {
    return base::fail(base::ErrorCode::kUnsupported, std::string(base::as_text(hello->bytes)));
  }
  return process;
}

JudgeProcess::JudgeProcess(JudgeProcess&& other) noexcept
    : channel_(std::move(other.channel_)),
      shared_(std::exchange(other.shared_, {})),
      pid_(std::exchange(other.pid_, -1)) {}

JudgeProcess::~JudgeProcess() {
  end();
  if (!shared_.empty()) ::munmap(shared_.data(), shared_.size());
}

Result<base::Bytes> JudgeProcess::ask(base::ByteSpan request, std::span<const int> files, std::size_t limit,
                                      const Patience& patience) const {
  KURA_TRY(channel_.send(request, files, patience));
  return KURA_TRY(channel_.receive(limit, patience)).bytes;
}

std::string JudgeProcess::end() {
  const pid_t pid = std::exchange(pid_, -1);
  if (pid < 0) return {};
  int status = 0;
  pid_t ended = ::waitpid(pid, &status, WNOHANG);
  const bool ran = ended == 0;
  if (ran) ::kill(pid, SIGKILL);  // changes nothing of one that is just ending
  while (ran && (ended = ::waitpid(pid, &status, 0)) < 0 && errno == EINTR) {
  }
  const bool by_us = ran && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  return by_us || ended != pid ? std::string() : words_for(status);
}

}  // namespace kura::detect
