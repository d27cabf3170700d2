#include "mount/fuse_session.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/guarded.h"
#include "mount/mount_guard.h"

namespace kura::mount {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr int kWakeSignal = SIGUSR1;
constexpr unsigned kMostThreads = 32;
constexpr unsigned kIdleThreads = 10;
constexpr auto kWakePeriod = std::chrono::milliseconds(10);
constexpr int kPatience = 1000;  // wake periods: 10 s

// libfuse says on standard error why it could not mount; we say it in our error. Its own programs (fusermount3) write
// there themselves.
base::Guarded<std::string>& last_message() {
  static base::Guarded<std::string> message;
  return message;
}

[[gnu::format(printf, 2, 0)]] void keep_message(fuse_log_level /*level*/, const char* format, va_list arguments) {
  std::array<char, 512> text{};
  if (std::vsnprintf(text.data(), text.size(), format, arguments) < 0) return;
  std::string message(text.data());
  while (message.ends_with('\n')) message.pop_back();
  *last_message().lock() = std::move(message);
}

Error mount_error(const std::string& folder) {
  std::string why = std::exchange(*last_message().lock(), {});
  return Error(ErrorCode::kIo, fmt::format("cannot mount at {}{}{}", folder, why.empty() ? "" : ": ", why),
               "see whether the package fuse3 is installed and this user may mount there");
}

// Interrupts a wait of the loop; does nothing else.
class WakeSignal {
 public:
  WakeSignal() {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    sigaction(kWakeSignal, &action, &old_);
  }
  ~WakeSignal() {
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;  // which drops one that is on its way: the old action may be to end the process
    sigaction(kWakeSignal, &ignore, nullptr);
    sigaction(kWakeSignal, &old_, nullptr);
  }
  WakeSignal(const WakeSignal&) = delete;
  WakeSignal& operator=(const WakeSignal&) = delete;

 private:
  struct sigaction old_{};
};

struct LoopConfigDeleter {
  void operator()(fuse_loop_config* config) const { fuse_loop_cfg_destroy(config); }
};

}  // namespace

Result<std::unique_ptr<FuseSession>> FuseSession::mount(const std::string& folder, Mounted& mounted) {
  fuse_set_log_func(keep_message);
  std::string name = "kura";
  std::string flag = "-o";
  std::string options = "ro,fsname=kura,subtype=kura";
  if (mounted.allow_other) options += ",allow_other,default_permissions";
  std::array<char*, 4> words{name.data(), flag.data(), options.data(), nullptr};
  fuse_args arguments = FUSE_ARGS_INIT(3, words.data());
  fuse_session* session = fuse_session_new(&arguments, &fuse_operations(), sizeof(fuse_lowlevel_ops), &mounted);
  fuse_opt_free_args(&arguments);
  if (session == nullptr) return base::fail(mount_error(folder));
  if (fuse_session_mount(session, folder.c_str()) != 0) {
    fuse_session_destroy(session);
    return base::fail(mount_error(folder));
  }
  return std::unique_ptr<FuseSession>(new FuseSession(session, folder, mounted));
}

FuseSession::~FuseSession() {
  unmount();
  fuse_session_destroy(session_);
}

void FuseSession::unmount() {
  if (std::exchange(is_mounted_, false)) fuse_session_unmount(session_);
}

Status FuseSession::serve(const std::stop_token& stop) {
  const std::unique_ptr<fuse_loop_config, LoopConfigDeleter> config(fuse_loop_cfg_create());
  fuse_loop_cfg_set_clone_fd(config.get(), 1);
  fuse_loop_cfg_set_max_threads(config.get(), kMostThreads);
  fuse_loop_cfg_set_idle_threads(config.get(), kIdleThreads);
  loop_thread_ = ::pthread_self();
  trimmer_ = std::make_unique<Trimmer>(session_, mounted_.system.nodes());
  const WakeSignal wake;
  int result = 0;
  {
    // On a thread of its own: when the stop was requested before, the callback runs here and now.
    const std::stop_callback on_stop(stop, [this] { stopper_ = std::thread([this] { end_loop(); }); });
    result = fuse_session_loop_mt(session_, config.get());
    loop_ended_.store(true);
  }
  if (stopper_.joinable()) stopper_.join();
  trimmer_->stop();
  if (result < 0) return base::fail(Error::from_errno("the kernel ended the mount at " + folder_, -result));
  return {};
}

// The loop looks whether it is to end only after a question or a signal.
void FuseSession::end_loop() {
  std::thread patience([this] {
    for (int period = 0; !loop_ended_.load(); ++period) {
      if (period == kPatience) give_up();
      std::this_thread::sleep_for(kWakePeriod);
    }
  });
  trimmer_->stop();  // while there are answers: it may wait for one
  fuse_session_exit(session_);
  while (!loop_ended_.load()) {
    ::pthread_kill(loop_thread_, kWakeSignal);
    std::this_thread::sleep_for(kWakePeriod);
  }
  patience.join();
}

// A thread is stuck in a store that never answers. The mount goes, and the process with it.
void FuseSession::give_up() {
  detach_mount(folder_.c_str());
  std::fprintf(stderr, "kura: the repository does not answer; unmounted %s without waiting for it\n",
               base::printable(folder_).c_str());
  ::_exit(1);
}

}  // namespace kura::mount
