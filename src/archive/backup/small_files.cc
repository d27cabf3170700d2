#include "archive/backup/small_files.h"

#include <liburing.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/simd.h"
#include "base/time.h"

namespace kura::archive {
namespace {

constexpr unsigned kAtOnce = 64;               // requests in the ring
constexpr std::size_t kMostSize = 64U << 10;   // bytes of a file
constexpr std::size_t kMostMemory = 2U << 20;  // bytes of a batch's files
constexpr std::size_t kFewest = 4;             // files for which it is worth it

bool is_small(const struct stat& status) {
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const bool sparse = status.st_blocks * 512 < status.st_size;
  return S_ISREG(status.st_mode) && size != 0 && size <= kMostSize && !sparse;
}

}  // namespace

class SmallFiles::Ring {
 public:
  Ring() {
    if (::io_uring_queue_init(kAtOnce, &ring_, 0) != 0) return;
    open_ = true;
    io_uring_probe* const probe = ::io_uring_get_probe_ring(&ring_);
    if (probe == nullptr) return;
    const std::array needed{IORING_OP_OPENAT, IORING_OP_READ, IORING_OP_CLOSE};
    usable_ = std::ranges::all_of(needed, [&](int code) { return ::io_uring_opcode_supported(probe, code) != 0; });
    ::io_uring_free_probe(probe);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (open_) ::io_uring_queue_exit(&ring_);
  }
  bool usable() const { return usable_; }

  // Makes `count` requests, kAtOnce at a time: prepare(request, i) each, then done(i, result), result below 0 a
  // negative errno. Returns when all are done, since the kernel writes into the callers' memory until then. Those that
  // cannot be made, after which the ring is not usable, are told as failed.
  template <typename Prepare, typename Done>
  void run(std::size_t count, Prepare prepare, Done done) {
    for (std::size_t begin = 0; begin < count; begin += kAtOnce) {
      const auto some = static_cast<unsigned>(std::min<std::size_t>(kAtOnce, count - begin));
      for (unsigned i = 0; i < some; ++i) {
        io_uring_sqe* const request = ::io_uring_get_sqe(&ring_);  // there is one: the queue is empty between rounds
        prepare(request, begin + i);
        ::io_uring_sqe_set_data64(request, begin + i);
      }
      const unsigned made = submit(some);
      for (unsigned i = 0; i < made; ++i) {
        io_uring_cqe* completion = nullptr;
        while (::io_uring_wait_cqe(&ring_, &completion) != 0) {
          // Interrupted by a signal: those that are under way still come.
        }
        done(::io_uring_cqe_get_data64(completion), completion->res);
        ::io_uring_cqe_seen(&ring_, completion);
      }
      for (unsigned i = made; i < some; ++i) done(begin + i, -EAGAIN);
      if (made != some) {
        usable_ = false;
        for (std::size_t i = begin + some; i < count; ++i) done(i, -EAGAIN);
        return;
      }
    }
  }

 private:
  // How many of `count` are under way or done: the first ones.
  unsigned submit(unsigned count) {
    unsigned made = 0;
    while (made < count) {
      const int result = ::io_uring_submit_and_wait(&ring_, count - made);
      if (result == -EINTR) continue;
      if (result <= 0) break;
      made += static_cast<unsigned>(result);
    }
    return made;
  }

  io_uring ring_{};
  bool open_ = false, usable_ = false;
};

SmallFiles::SmallFiles() = default;
SmallFiles::~SmallFiles() { let_go(); }

bool SmallFiles::ready() {
  if (!ring_ && !unavailable_) {
    if (base::is_wanted("KURA_IO_URING")) ring_ = std::make_unique<Ring>();
    unavailable_ = !ring_ || !ring_->usable();
    if (!unavailable_) memory_.reserve(kMostMemory);
  }
  return !unavailable_ && ring_->usable();
}

std::vector<std::size_t> SmallFiles::choose(const Batch& batch) const {
  std::vector<std::size_t> chosen;
  std::size_t memory = 0;
  for (std::size_t i = 0; i < batch.reads.size(); ++i) {
    const struct stat& status = batch.reads[i].status;
    if (!is_small(status)) continue;
    memory += static_cast<std::size_t>(status.st_size);
    if (memory > kMostMemory) break;
    chosen.push_back(i);
  }
  return chosen;
}

std::span<const SmallFile> SmallFiles::fetch(const Batch& batch) {
  let_go();
  files_.assign(batch.reads.size(), {});
  const std::vector<std::size_t> chosen = choose(batch);
  if (chosen.size() < kFewest || !ready()) return files_;
  open(batch, chosen);
  read(batch, chosen);
  return files_;
}

void SmallFiles::open(const Batch& batch, std::span<const std::size_t> chosen) {
  const uid_t user = ::geteuid();
  const std::int64_t now = base::now_ns();
  ring_->run(
      chosen.size(),
      [&](io_uring_sqe* request, std::size_t i) {
        const Batch::Read& wanted = batch.reads[chosen[i]];
        const bool owned = user == 0 || wanted.status.st_uid == user;
        const int flags = kReadFlags | (owned ? O_NOATIME : 0);
        ::io_uring_prep_openat(request, wanted.parent->get(), batch.items[wanted.item].entry.name.c_str(), flags, 0);
      },
      [&](std::size_t i, int result) {
        if (result >= 0) files_[chosen[i]] = {.fd = result, .bytes = {}, .read_at = now};
      });
}

void SmallFiles::read(const Batch& batch, std::span<const std::size_t> chosen) {
  memory_.clear();
  std::vector<std::size_t> opened;
  std::copy_if(chosen.begin(), chosen.end(), std::back_inserter(opened),
               [&](std::size_t i) { return files_[i].fd >= 0; });
  for (const std::size_t i : opened) {
    const auto size = static_cast<std::size_t>(batch.reads[i].status.st_size);
    files_[i].bytes = memory_.spare().first(size);
    memory_.add(size);
  }
  ring_->run(
      opened.size(),
      [&](io_uring_sqe* request, std::size_t i) {
        const SmallFile& file = files_[opened[i]];
        // Into memory_, which is ours to write.
        auto* const room = memory_.writable().data() + (file.bytes.data() - memory_.span().data());
        ::io_uring_prep_read(request, file.fd, room, static_cast<unsigned>(file.bytes.size()), 0);
      },
      [&](std::size_t i, int result) {
        SmallFile& file = files_[opened[i]];
        if (result >= 0 && static_cast<std::size_t>(result) == file.bytes.size()) return;
        ::close(file.fd);
        file = {};
      });
}

void SmallFiles::let_go() {
  std::erase_if(files_, [](const SmallFile& file) { return file.fd < 0; });
  if (files_.empty()) return;
  if (ring_->usable()) {
    ring_->run(
        files_.size(), [&](io_uring_sqe* request, std::size_t i) { ::io_uring_prep_close(request, files_[i].fd); },
        [&](std::size_t i, int result) {
          if (result != -EAGAIN) files_[i].fd = -1;
        });
  }
  for (const SmallFile& file : files_) {
    if (file.fd >= 0) ::close(file.fd);
  }
  files_.clear();
}

}  // namespace kura::archive
