// Would io_uring make the walk or the reading of small files cheaper? Does both over the files below a folder, by
// system calls and by rings, in turn, and prints the least of five of each: microseconds a file, by the clock and of
// processor time (the ring's kernel threads count: they are this process's).
//
//   kura_io_uring_bench FOLDER
#include <fcntl.h>
#include <liburing.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace {

constexpr unsigned kAtOnce = 64;            // requests in the ring
constexpr std::size_t kReadSize = 1 << 16;  // longer files are left out
constexpr unsigned kMask = STATX_BASIC_STATS | STATX_BTIME;
constexpr int kNoFollow = AT_SYMLINK_NOFOLLOW;

using Names = std::vector<std::string>;

[[noreturn]] void give_up(const char* what, int error) {
  std::fprintf(stderr, "%s: %s\n", what, std::generic_category().message(error).c_str());
  std::exit(1);
}

int need(int result, const char* what) {
  if (result < 0) give_up(what, -result);
  return result;
}

Names small_files(const char* folder) {
  Names names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && !entry.is_symlink() && entry.file_size() <= kReadSize) names.push_back(entry.path());
  }
  return names;
}

class Ring {
 public:
  Ring() { need(io_uring_queue_init(kAtOnce, &ring_, 0), "no io_uring here"); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { io_uring_queue_exit(&ring_); }

  // `prepare(i, request)` for each of `count` requests at once; their results, in the same order.
  std::array<int, kAtOnce> run(unsigned count, const std::function<void(unsigned, io_uring_sqe*)>& prepare) {
    for (unsigned i = 0; i < count; ++i) {
      io_uring_sqe* const request = io_uring_get_sqe(&ring_);
      prepare(i, request);
      io_uring_sqe_set_data64(request, i);
    }
    need(io_uring_submit_and_wait(&ring_, count), "io_uring_submit_and_wait");
    std::array<int, kAtOnce> results{};
    for (unsigned i = 0; i < count; ++i) {
      io_uring_cqe* done = nullptr;
      need(io_uring_wait_cqe(&ring_, &done), "io_uring_wait_cqe");
      results.at(io_uring_cqe_get_data64(done)) = need(done->res, "a request");
      io_uring_cqe_seen(&ring_, done);
    }
    return results;
  }

 private:
  io_uring ring_{};
};

void stat_by_calls(const Names& names) {
  struct statx status{};
  for (const std::string& name : names) {
    if (statx(AT_FDCWD, name.c_str(), kNoFollow, kMask, &status) != 0) give_up("statx", errno);
  }
}

void stat_by_ring(const Names& names) {
  Ring ring;
  std::array<struct statx, kAtOnce> status{};
  for (std::size_t begin = 0; begin < names.size(); begin += kAtOnce) {
    const auto count = static_cast<unsigned>(std::min<std::size_t>(kAtOnce, names.size() - begin));
    ring.run(count, [&](unsigned i, io_uring_sqe* request) {
      io_uring_prep_statx(request, AT_FDCWD, names[begin + i].c_str(), kNoFollow, kMask, &status.at(i));
    });
  }
}

void read_by_calls(const Names& names) {
  std::vector<char> buffer(kReadSize);
  struct statx status{};
  for (const std::string& name : names) {
    const int file = open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) give_up("open", errno);
    if (read(file, buffer.data(), buffer.size()) < 0) give_up("read", errno);
    if (statx(file, "", AT_EMPTY_PATH, kMask, &status) != 0) give_up("statx", errno);
    close(file);
  }
}

void read_by_ring(const Names& names) {
  Ring ring;
  std::vector<char> buffer(kReadSize * kAtOnce);
  std::array<struct statx, kAtOnce> status{};
  for (std::size_t begin = 0; begin < names.size(); begin += kAtOnce) {
    const auto count = static_cast<unsigned>(std::min<std::size_t>(kAtOnce, names.size() - begin));
    const std::array<int, kAtOnce> files = ring.run(count, [&](unsigned i, io_uring_sqe* request) {
      io_uring_prep_openat(request, AT_FDCWD, names[begin + i].c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    });
    ring.run(count, [&](unsigned i, io_uring_sqe* request) {
      io_uring_prep_read(request, files.at(i), buffer.data() + i * kReadSize, kReadSize, 0);
    });
    ring.run(count, [&](unsigned i, io_uring_sqe* request) {
      io_uring_prep_statx(request, files.at(i), "", AT_EMPTY_PATH, kMask, &status.at(i));
    });
    ring.run(count, [&](unsigned i, io_uring_sqe* request) { io_uring_prep_close(request, files.at(i)); });
  }
}

struct Cost {
  double wall = 0;
  double processor = 0;
};

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Cost cost_of(void (*work)(const Names&), const Names& names) {
  const double processor = processor_seconds();
  const auto begin = std::chrono::steady_clock::now();
  work(names);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  const double scale = 1e6 / static_cast<double>(names.size());
  return {.wall = wall.count() * scale, .processor = (processor_seconds() - processor) * scale};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: kura_io_uring_bench FOLDER\n");
    return 2;
  }
  const Names names = small_files(argv[1]);
  if (names.empty()) {
    std::fprintf(stderr, "%s has no files of up to 64 KiB\n", argv[1]);
    return 1;
  }
  struct Way {
    const char* name = nullptr;
    void (*work)(const Names&) = nullptr;
    Cost least{.wall = 1e9, .processor = 1e9};
  };
  std::array<Way, 4> ways{{{.name = "statx, system calls", .work = stat_by_calls},
                           {.name = "statx, io_uring", .work = stat_by_ring},
                           {.name = "open, read, statx, close; system calls", .work = read_by_calls},
                           {.name = "open, read, statx, close; io_uring", .work = read_by_ring}}};
  for (int run = 0; run < 5; ++run) {
    for (Way& way : ways) {
      const Cost cost = cost_of(way.work, names);
      way.least.wall = std::min(way.least.wall, cost.wall);
      way.least.processor = std::min(way.least.processor, cost.processor);
    }
  }
  std::printf("%zu files\n| | wall, us a file | CPU, us a file |\n| --- | ---: | ---: |\n", names.size());
  for (const Way& way : ways) std::printf("| %s | %.1f | %.1f |\n", way.name, way.least.wall, way.least.processor);
}
