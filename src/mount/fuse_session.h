// One mount by FUSE, from mounting to unmounting.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "mount/fuse_operations.h"
#include "mount/trimmer.h"

namespace kura::mount {

class FuseSession {
 public:
  // Mounts. `mounted` outlives the session. The error has what libfuse said.
  static base::Result<std::unique_ptr<FuseSession>> mount(const std::string& folder, Mounted& mounted);
  // Unmounts, if that was not done yet.
  ~FuseSession();

  // Answers the kernel from many threads until it is unmounted or `stop` is requested.
  base::Status serve(const std::stop_token& stop);
  // From then on nobody waits for an answer.
  void unmount();

 private:
  FuseSession(fuse_session* session, std::string folder, Mounted& mounted)
      : session_(session), folder_(std::move(folder)), mounted_(mounted) {}
  void end_loop();
  [[noreturn]] void give_up();

  fuse_session* session_;
  const std::string folder_;
  Mounted& mounted_;
  bool is_mounted_ = true;
  pthread_t loop_thread_{};
  std::atomic<bool> loop_ended_{false};
  std::unique_ptr<Trimmer> trimmer_;
  std::thread stopper_;
};

}  // namespace kura::mount
