#include "base/unique_fd.h"

#include <fcntl.h>

#include <gtest/gtest.h>

namespace kura::base {
namespace {

int new_fd() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(UniqueFdTest, ClosesWhatItOwnsAndNothingElse) {
  const int raw = new_fd();
  {
    const UniqueFd fd(raw);
    EXPECT_TRUE(fd);
  }
  EXPECT_FALSE(is_open(raw));

  UniqueFd released(new_fd());
  const int kept = released.release();
  EXPECT_FALSE(released);
  released.reset();
  EXPECT_TRUE(is_open(kept));
  ::close(kept);
}

TEST(UniqueFdTest, MovesWithoutClosing) {
  UniqueFd first(new_fd());
  const int raw = first.get();
  UniqueFd second(std::move(first));
  EXPECT_EQ(second.get(), raw);
  UniqueFd third(new_fd());
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_TRUE(is_open(raw));
  EXPECT_EQ(third.get(), raw);
}

}  // namespace
}  // namespace kura::base
