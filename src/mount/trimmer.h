// Asks the kernel to forget files that were looked at long ago, once there are too many: a walk over millions of files
// then takes no more memory than the last of them.
//
// Folders stay: a shell may stand in one. Works on a thread of its own, since the kernel may be waiting for our answers
// about the very folder while it is asked.
#pragma once

#include <thread>

#include "base/mutex.h"
#include "mount/fuse.h"
#include "mount/inode_table.h"

namespace kura::mount {

class Trimmer {
 public:
  // Both outlive it.
  Trimmer(fuse_session* session, InodeTable& nodes);
  ~Trimmer() { stop(); }
  // Returns when it has ended. To be called while the session still answers.
  void stop();

 private:
  void work();
  void trim();
  bool is_ending() KURA_EXCLUDES(mutex_);

  fuse_session* session_;
  InodeTable& nodes_;
  base::Mutex mutex_;
  base::CondVar wake_;
  bool ending_ KURA_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace kura::mount
