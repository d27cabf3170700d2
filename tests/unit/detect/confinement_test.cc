#include "detect/confined/confinement.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>

#include <gtest/gtest.h>

namespace kura::detect {
namespace {

constexpr int kNotConfined = 99;

// How a confined process ends that does `what`, whose result is its exit code.
int status_of(const std::function<int()>& what) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (!confine()) ::_exit(kNotConfined);
    ::_exit(what());
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  return status;
}

::testing::AssertionResult ends_by_the_filter(const std::function<int()>& what) {
  const int status = status_of(what);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "status " << status;
}

TEST(Confinement, WhatIsOpenCanBeReadAndMemoryBeHad) {
  const int file = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  const int status = status_of([&] {
    std::array<char, 64> bytes{};
    void* const memory = ::mmap(nullptr, 4U << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return ::pread(file, bytes.data(), bytes.size(), 0) == 64 && memory != MAP_FAILED ? 0 : 1;
  });
  ::close(file);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Confinement, NoFileIsOpened) {
  for (const char* path : {"/etc/passwd", "/dev/null", "/proc/self/status"}) {
    const int status = status_of([&] { return ::open(path, O_RDONLY) < 0 ? errno : 0; });
    EXPECT_TRUE(WIFEXITED(status)) << path;
    EXPECT_EQ(WEXITSTATUS(status), EACCES) << path;
  }
}

TEST(Confinement, NothingIsWrittenMadeRunOrSignalled) {
  const pid_t parent = ::getpid();
  EXPECT_TRUE(ends_by_the_filter([] { return ::unlink("/tmp/none"); }));
  EXPECT_TRUE(ends_by_the_filter([] { return ::mkdir("/tmp/none", 0700); }));
  EXPECT_TRUE(ends_by_the_filter([] { return ::fork() == 0 ? 0 : 1; }));
  EXPECT_TRUE(ends_by_the_filter([&] { return ::kill(parent, SIGTERM); }));
  EXPECT_TRUE(ends_by_the_filter([] { return ::ftruncate(1, 0); }));
  EXPECT_TRUE(ends_by_the_filter([] {
    std::array<char*, 1> none{nullptr};
    return ::execve("/bin/true", none.data(), none.data());
  }));
}

TEST(Confinement, NoMemoryBecomesExecutable) {
  EXPECT_TRUE(ends_by_the_filter([] {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
  }));
  EXPECT_TRUE(ends_by_the_filter([] {
    void* const memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return ::mprotect(memory, 4096, PROT_READ | PROT_EXEC);
  }));
}

}  // namespace
}  // namespace kura::detect
