#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <future>

#include <gtest/gtest.h>

#include "archive/repo/machine_key_file.h"
#include "support/archive/format_samples.h"
#include "support/temporary_folder.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using test::digest_of;
using test::expect_error;
using test::key_of;

class MachineStateTest : public ::testing::Test {
 protected:
  MachineState open() const { return MachineState::open(folder_ / "a/state", digest_of(1), /*create=*/true).value(); }
  std::string key_path() const { return open().folder() + "/machine.key"; }
  static mode_t mode_of(const std::string& path) {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }
  const MachineKey key_{.config = digest_of(1), .write = key_of(2), .signing_seed = key_of(3)};
  kura::test::TemporaryFolder folder_;
};

TEST_F(MachineStateTest, KeepsItsKey) {
  ASSERT_TRUE(open().save_key(key_));
  const auto back = open().load_key();
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->config, key_.config);
  EXPECT_TRUE(std::ranges::equal(back->write.span(), key_.write.span()));
  EXPECT_EQ(back->public_key(), key_.public_key());
}

TEST_F(MachineStateTest, IsItsOwnersAloneWhateverTheUmask) {
  const mode_t before = ::umask(0);
  const auto saved = open().save_key(key_);
  ::umask(before);
  ASSERT_TRUE(saved) << saved.error().text();
  EXPECT_EQ(mode_of(key_path()), 0600U);
  EXPECT_EQ(mode_of(open().folder()), 0700U);
  EXPECT_EQ(mode_of(folder_ / "a"), 0700U);
}

TEST_F(MachineStateTest, RefusesAKeyThatOthersMayRead) {
  ASSERT_TRUE(open().save_key(key_));
  for (const mode_t mode : {0640U, 0604U, 0620U}) {
    ASSERT_EQ(::chmod(key_path().c_str(), mode), 0);
    const auto key = open().load_key();
    expect_error(key, ErrorCode::kDenied, "others than its owner");
    EXPECT_TRUE(key.error().hint().contains("chmod 600"));
  }
  ASSERT_EQ(::chmod(key_path().c_str(), 0400), 0);
  EXPECT_TRUE(open().load_key());
}

TEST_F(MachineStateTest, NeverOverwritesAKeyAndLeavesNoTemporaryFile) {
  ASSERT_TRUE(open().save_key(key_));
  expect_error(open().save_key({.config = digest_of(1), .write = key_of(9), .signing_seed = key_of(9)}),
               ErrorCode::kExists);
  EXPECT_EQ(open().load_key()->public_key(), key_.public_key());
  const auto files = std::filesystem::directory_iterator(open().folder());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(MachineStateTest, ReplacesAKeyWhenToldTo) {
  ASSERT_TRUE(open().save_key(key_));
  const MachineKey other{.config = digest_of(1), .write = key_of(9), .signing_seed = key_of(9)};
  ASSERT_TRUE(open().replace_key(other));
  EXPECT_EQ(open().load_key()->public_key(), other.public_key());
  EXPECT_EQ(mode_of(key_path()), 0600U);
  const auto files = std::filesystem::directory_iterator(open().folder());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(MachineStateTest, TellsThatThereIsNone) {
  expect_error(open().load_key(), ErrorCode::kNotFound);
  expect_error(MachineState::open(folder_ / "none", digest_of(1), /*create=*/false), ErrorCode::kNotFound);
  EXPECT_TRUE(MachineState::known(folder_ / "none")->empty());
}

TEST_F(MachineStateTest, KnowsItsRepositoriesAndNothingElse) {
  open();
  std::filesystem::create_directory(folder_ / "a/state/cache");
  std::filesystem::create_directory(folder_ / ("a/state/" + std::string(64, 'A')));
  EXPECT_EQ(MachineState::known(folder_ / "a/state").value(), std::vector{digest_of(1)});
}

TEST_F(MachineStateTest, NoticesAnyChangedCharacterOfAKeyAndShowsNoneOfIt) {
  const std::string text = encode_machine_key(key_);
  for (std::size_t i = text.find("KURA"); i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == '5' ? '6' : '5';
    const auto key = decode_machine_key(changed);
    ASSERT_FALSE(key) << i;
    EXPECT_FALSE(key.error().text().contains("0202020202")) << key.error().text();
  }
  for (std::size_t size = 0; size + 1 < text.size(); ++size) EXPECT_FALSE(decode_machine_key(text.substr(0, size)));
}

TEST_F(MachineStateTest, RefusesALinkInPlaceOfTheKey) {
  ASSERT_TRUE(open().save_key(key_));
  std::filesystem::rename(key_path(), folder_ / "elsewhere");
  std::filesystem::create_symlink(folder_ / "elsewhere", key_path());
  EXPECT_FALSE(open().load_key());
}

TEST_F(MachineStateTest, OneCommitsAtATime) {
  const MachineState state = open();
  auto first = state.lock_commits();
  ASSERT_TRUE(first) << first.error().text();
  auto second = std::async(std::launch::async, [&] { return state.lock_commits().has_value(); });
  EXPECT_EQ(second.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  first->reset();
  EXPECT_TRUE(second.get());
}

}  // namespace
}  // namespace kura::archive
