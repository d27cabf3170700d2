#include "mount/trimmer.h"

#include <chrono>

namespace kura::mount {
namespace {

constexpr auto kPeriod = std::chrono::milliseconds(200);
constexpr std::size_t kAtOnce = 1024;

}  // namespace

Trimmer::Trimmer(fuse_session* session, InodeTable& nodes) : session_(session), nodes_(nodes) {
  thread_ = std::thread([this] { work(); });
}

void Trimmer::stop() {
  {
    const base::MutexLock lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Trimmer::is_ending() {
  const base::MutexLock lock(mutex_);
  return ending_;
}

void Trimmer::work() {
  for (;;) {
    {
      const base::MutexLock lock(mutex_);
      if (!ending_) wake_.wait_for(mutex_, kPeriod);
      if (ending_) return;
    }
    if (nodes_.is_over_limit()) trim();
  }
}

// One pass over all files, the oldest first, until there are few enough. What is in use stays.
void Trimmer::trim() {
  for (NodeId after = 0;;) {
    const std::vector<NodePtr> oldest = nodes_.oldest_files(after, kAtOnce);
    if (oldest.empty()) return;
    for (const NodePtr& node : oldest) {
      if (is_ending() || !nodes_.is_over_limit()) return;
      fuse_lowlevel_notify_inval_entry(session_, node->parent, node->entry.name.c_str(), node->entry.name.size());
    }
    after = oldest.back()->id;
  }
}

}  // namespace kura::mount
