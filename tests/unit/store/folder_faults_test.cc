// What the folder store keeps of its promises when the power goes, the disk fills, or the system says no.
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <future>

#include <gtest/gtest.h>

#include "store/folder_store.h"
#include "support/store/crash_file_system.h"
#include "support/store/sample.h"
#include "support/temporary_folder.h"

namespace kura::store {
namespace {

using base::ErrorCode;
using Operation = CrashFileSystem::Operation;

constexpr std::uint64_t kSeeds = 24;  // ways to crash that are tried at each operation

std::unique_ptr<Store> created(CrashFileSystem& disk) { return create_folder_store("/srv/store", disk).value(); }

bool has_temporaries(const CrashFileSystem& disk) {
  return std::ranges::any_of(disk.files(), [](const std::string& path) { return path.contains("/tmp/"); });
}

bool writes(Operation operation) {
  return operation != Operation::kStat && operation != Operation::kList && operation != Operation::kRead;
}

// Whole or absent, and listed exactly when it is whole.
void expect_never_torn(Store& store, Kind kind, const Sample& object) {
  const auto found = store.get(kind, object.id, kNoLimit);
  const bool is_listed = std::ranges::count(listed(store, kind), object.id) == 1;
  EXPECT_EQ(found.has_value(), is_listed);
  if (found) {
    EXPECT_EQ(*found, object.bytes);
  } else {
    EXPECT_EQ(found.error().code(), ErrorCode::kNotFound) << found.error().text();
  }
}

TEST(FolderStoreCrash, AtEveryOperationObjectsAreWholeOrAbsentAndSyncedOnesStay) {
  const Sample early = sample(1);
  const std::pair<Kind, Sample> late[] = {{Kind::kPack, sample(2, 3000)}, {Kind::kSnapshot, sample(3, 200)}};
  bool finished = false;
  std::size_t crash_points = 0;
  for (std::size_t n = 0; !finished; ++n, ++crash_points) {
    CrashFileSystem disk(n);
    auto store = created(disk);
    ASSERT_TRUE(store->put(Kind::kPack, early.id, early.bytes));
    ASSERT_TRUE(store->sync());
    disk.fail_from(disk.operations() + n, EIO);
    bool all_put = true;
    for (const auto& [kind, object] : late) all_put &= store->put(kind, object.id, object.bytes).has_value();
    const bool synced = store->sync().has_value() && all_put;
    finished = synced;

    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      const auto after = disk.crash(seed);
      auto again = open_folder_store("/srv/store", *after);
      ASSERT_TRUE(again) << again.error().text();
      EXPECT_EQ((*again)->get(Kind::kPack, early.id, kNoLimit).value(), early.bytes);
      for (const auto& [kind, object] : late) {
        expect_never_torn(**again, kind, object);
        if (synced) EXPECT_TRUE((*again)->stat(kind, object.id)) << "crash point " << n << ", seed " << seed;
        ASSERT_TRUE((*again)->put(kind, object.id, object.bytes));
      }
      ASSERT_TRUE((*again)->sync());
      const auto later = after->crash(seed);
      auto third = open_folder_store("/srv/store", *later);
      ASSERT_TRUE(third) << third.error().text();
      for (const auto& [kind, object] : late) {
        EXPECT_EQ((*third)->get(kind, object.id, kNoLimit).value(), object.bytes) << "put again after a crash";
      }
    }
  }
  EXPECT_GT(crash_points, 10u);
}

TEST(FolderStoreCrash, CreatingCanBeDoneAgainAfterACrashAtEveryOperation) {
  bool finished = false;
  for (std::size_t n = 0; !finished; ++n) {
    CrashFileSystem disk(n);
    disk.fail_from(n, EIO);
    finished = create_folder_store("/srv/store", disk).has_value();
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      const auto after = disk.crash(seed);
      if (finished) EXPECT_TRUE(open_folder_store("/srv/store", *after));
      auto store = create_folder_store("/srv/store", *after);
      ASSERT_TRUE(store) << "crash point " << n << ", seed " << seed << ": " << store.error().text();
      const Sample object = sample(4);
      ASSERT_TRUE((*store)->put(Kind::kPack, object.id, object.bytes));
      ASSERT_TRUE((*store)->sync());
      const auto later = after->crash(seed);
      EXPECT_TRUE(open_folder_store("/srv/store", *later).value()->get(Kind::kPack, object.id, kNoLimit));
    }
  }
}

// The process was killed, the machine ran on: what it made is there, but nobody has synced it yet.
TEST(FolderStoreCrash, CreatingAgainMakesDurableWhatAKilledCreateLeft) {
  bool finished = false;
  for (std::size_t n = 0; !finished; ++n) {
    CrashFileSystem disk(n);
    disk.fail_from(n, EIO);
    finished = create_folder_store("/srv/store", disk).has_value();
    disk.set_fault({});
    ASSERT_TRUE(create_folder_store("/srv/store", disk));
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      EXPECT_TRUE(open_folder_store("/srv/store", *disk.crash(seed))) << "killed at " << n << ", seed " << seed;
    }
  }
}

TEST(FolderStoreCrash, ASyncCoversAnObjectThatAnotherProcessPutAndDidNotSync) {
  const Sample object = sample(5);
  CrashFileSystem disk;
  auto mine = created(disk);
  auto theirs = open_folder_store("/srv/store", disk).value();
  ASSERT_TRUE(theirs->put(Kind::kPack, object.id, object.bytes));
  ASSERT_TRUE(mine->put(Kind::kPack, object.id, object.bytes));
  ASSERT_TRUE(mine->sync());
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto after = disk.crash(seed);
    EXPECT_TRUE(open_folder_store("/srv/store", *after).value()->get(Kind::kPack, object.id, kNoLimit));
  }
}

TEST(FolderStoreCrash, WhatWasRemovedBeforeASyncStaysRemoved) {
  const Sample object = sample(6);
  CrashFileSystem disk;
  auto store = created(disk);
  ASSERT_TRUE(store->put(Kind::kLease, object.id, object.bytes));
  ASSERT_TRUE(store->sync());
  ASSERT_TRUE(store->remove(Kind::kLease, object.id));
  ASSERT_TRUE(store->sync());
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto after = disk.crash(seed);
    EXPECT_TRUE(listed(*open_folder_store("/srv/store", *after).value(), Kind::kLease).empty());
  }
}

std::size_t operations_of_put(const Sample& object) {
  CrashFileSystem disk;
  auto store = created(disk);
  const std::size_t before = disk.operations();
  EXPECT_TRUE(store->put(Kind::kPack, object.id, object.bytes));
  return disk.operations() - before;
}

class FolderStoreRefused : public testing::TestWithParam<std::pair<int, ErrorCode>> {};

TEST_P(FolderStoreRefused, AtEveryOperationNothingStaysBehindAndTheNextTryWorks) {
  const auto [errno_value, code] = GetParam();
  const Sample object = sample(7, 5000);
  std::size_t failures = 0;
  const std::size_t operations = operations_of_put(object);
  for (std::size_t n = 0; n < operations; ++n) {
    CrashFileSystem disk(n);
    auto store = created(disk);
    const std::size_t start = disk.operations();
    disk.fail_only(start + n, errno_value);
    const base::Status status = store->put(Kind::kPack, object.id, object.bytes);
    EXPECT_FALSE(has_temporaries(disk)) << "operation " << n;
    if (!status) {
      ++failures;
      EXPECT_EQ(status.error().code(), code);
      EXPECT_NE(status.error().message().find("/srv/store"), std::string::npos) << status.error().text();
      if (code != ErrorCode::kIo) {
        EXPECT_NE(status.error().hint().find("/srv/store"), std::string::npos) << status.error().text();
      }
      EXPECT_TRUE(listed(*store, Kind::kPack).empty());
    }
    ASSERT_TRUE(store->put(Kind::kPack, object.id, object.bytes));
    EXPECT_EQ(store->get(Kind::kPack, object.id, kNoLimit).value(), object.bytes);
  }
  EXPECT_GE(failures, 5u);  // at least: two folders, create, write, sync, rename
}

INSTANTIATE_TEST_SUITE_P(Errors, FolderStoreRefused,
                         testing::Values(std::pair{ENOSPC, ErrorCode::kNoSpace}, std::pair{EDQUOT, ErrorCode::kNoSpace},
                                         std::pair{EROFS, ErrorCode::kDenied}, std::pair{EACCES, ErrorCode::kDenied},
                                         std::pair{EIO, ErrorCode::kIo}),
                         [](const auto& param) { return std::string(strerrorname_np(param.param.first)); });

TEST(FolderStoreFaults, AReadOnlyCopyCanBeReadAndRefusesWrites) {
  const Sample object = sample(8);
  CrashFileSystem disk;
  {
    auto store = created(disk);
    ASSERT_TRUE(store->put(Kind::kSnapshot, object.id, object.bytes));
  }
  disk.set_fault([](std::size_t, Operation operation, std::string_view) { return writes(operation) ? EROFS : 0; });
  auto store = open_folder_store("/srv/store", disk).value();
  EXPECT_TRUE(store->get(Kind::kSnapshot, object.id, kNoLimit));
  EXPECT_EQ(listed(*store, Kind::kSnapshot).size(), 1u);
  EXPECT_TRUE(store->sync()) << "there is nothing to sync";
  const base::Error error = store->put(Kind::kPack, object.id, object.bytes).error();
  EXPECT_EQ(error.code(), ErrorCode::kDenied);
  EXPECT_NE(error.hint().find("read-only"), std::string::npos) << error.text();
  EXPECT_EQ(store->remove(Kind::kSnapshot, object.id).error().code(), ErrorCode::kDenied);
  EXPECT_EQ(store->now().error().code(), ErrorCode::kDenied);
}

// The kernel says once that a write was lost; the second fsync() succeeds.
TEST(FolderStoreFaults, ASyncThatFailedOnceNeverSucceeds) {
  const Sample object = sample(9);
  CrashFileSystem disk;
  auto store = created(disk);
  ASSERT_TRUE(store->put(Kind::kPack, object.id, object.bytes));
  disk.fail_only(disk.operations(), EIO);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const base::Status status = store->sync();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::kIo);
  }
}

TEST(FolderStoreFaults, ASyncWaitsForTheOneThatHasItsObjectInHand) {
  const Sample object = sample(10);
  CrashFileSystem disk;
  auto store = created(disk);
  ASSERT_TRUE(store->put(Kind::kPack, object.id, object.bytes));
  std::promise<void> entered;
  std::promise<void> may_go_on;
  std::atomic<bool> first = true;
  disk.set_fault([&](std::size_t, Operation operation, std::string_view) {
    if (operation == Operation::kSyncFolder && first.exchange(false)) {
      entered.set_value();
      may_go_on.get_future().wait();
    }
    return 0;
  });
  auto one = std::async(std::launch::async, [&] { return store->sync().has_value(); });
  entered.get_future().wait();
  auto other = std::async(std::launch::async, [&] { return store->sync().has_value(); });
  EXPECT_EQ(other.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  may_go_on.set_value();
  EXPECT_TRUE(one.get());
  EXPECT_TRUE(other.get());
}

TEST(FolderStoreTemporaries, OldOnesGoWithTheFirstPutAndNoOthers) {
  constexpr std::int64_t kHour = 3600LL * 1'000'000'000;
  CrashFileSystem disk;
  static_cast<void>(created(disk));
  const std::string old_one = "/srv/store/tmp/123-0123456789abcdef";
  const std::string foreign = "/srv/store/tmp/.nfs0001";
  const std::string young = "/srv/store/tmp/124-0123456789abcdef";
  disk.plant(old_one, sample(1).bytes);
  disk.plant(foreign, sample(1).bytes);
  disk.advance_clock(2 * kHour);
  disk.plant(young, sample(1).bytes);
  disk.advance_clock(23 * kHour);

  auto store = open_folder_store("/srv/store", disk).value();
  EXPECT_EQ(std::ranges::count(disk.files(), old_one), 1) << "opening writes nothing";
  const Sample object = sample(11);
  ASSERT_TRUE(store->put(Kind::kPack, object.id, object.bytes));
  EXPECT_EQ(std::ranges::count(disk.files(), old_one), 0);
  EXPECT_EQ(std::ranges::count(disk.files(), foreign), 1);
  EXPECT_EQ(std::ranges::count(disk.files(), young), 1);
}

// The user that the tests run as may be root, to whom nothing is denied.
class AsNobody {
 public:
  AsNobody() : was_(::geteuid()) {
    if (was_ == 0 && ::seteuid(65534) != 0) ADD_FAILURE() << "cannot become nobody";
  }
  ~AsNobody() {
    if (was_ == 0 && ::seteuid(0) != 0) std::abort();
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  uid_t was_;
};

TEST(FolderStoreDenied, AFolderWithoutWritePermissionCanBeReadAndNamesItself) {
  const AsNobody nobody;
  test::TemporaryFolder folder;
  auto made = create_folder_store(folder.path(), posix_file_system());
  ASSERT_TRUE(made) << made.error().text();
  const Sample object = sample(12);
  ASSERT_TRUE((*made)->put(Kind::kIndex, object.id, object.bytes));
  for (const char* name : {"index", "tmp", "packs", "."}) {
    std::filesystem::permissions(folder / name, std::filesystem::perms(0500));
  }
  auto store = open_folder_store(folder.path(), posix_file_system()).value();
  EXPECT_TRUE(store->get(Kind::kIndex, object.id, kNoLimit));
  EXPECT_EQ(listed(*store, Kind::kIndex).size(), 1u);
  const base::Error error = store->put(Kind::kPack, object.id, object.bytes).error();
  EXPECT_EQ(error.code(), ErrorCode::kDenied);
  EXPECT_NE(error.text().find(folder.path()), std::string::npos) << error.text();
  EXPECT_EQ(store->remove(Kind::kIndex, object.id).error().code(), ErrorCode::kDenied);
  EXPECT_EQ(store->now().error().code(), ErrorCode::kDenied);
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0700));
}

TEST(FolderStoreDenied, AFolderThatMayNotBeReadIsNotCalledMissing) {
  const AsNobody nobody;
  test::TemporaryFolder folder;
  ASSERT_TRUE(create_folder_store(folder / "in/store", posix_file_system()));
  std::filesystem::permissions(folder / "in", std::filesystem::perms(0));
  EXPECT_EQ(open_folder_store(folder / "in/store", posix_file_system()).error().code(), ErrorCode::kDenied);
  EXPECT_EQ(create_folder_store(folder / "in/other", posix_file_system()).error().code(), ErrorCode::kDenied);
  std::filesystem::permissions(folder / "in", std::filesystem::perms(0700));
}

}  // namespace
}  // namespace kura::store
