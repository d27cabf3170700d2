#include "store/folder_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/store/sample.h"
#include "support/temporary_folder.h"

namespace kura::store {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

// On the real file system.
class FolderStoreTest : public testing::Test {
 protected:
  FolderStoreTest() {
    auto made = create_folder_store(folder_, posix_file_system());
    if (!made) {
      ADD_FAILURE() << made.error().text();
      std::abort();
    }
    store_ = std::move(*made);
  }

  std::string path_of(Kind kind, const ObjectId& id) const {
    const std::string sub = kind == Kind::kPack ? id.hex().substr(0, 2) + "/" : "";
    return folder_ + "/" + std::string(folder_of(kind)) + "/" + sub + id.hex();
  }
  // As an attacker or a bad disk would: the mode is no obstacle.
  static void overwrite(const std::string& path, std::string_view text) {
    fs::remove(path);
    std::ofstream(path, std::ios::binary) << text;
  }
  std::size_t temporaries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_ + "/tmp"), fs::directory_iterator()));
  }

  test::TemporaryFolder temporary_;
  std::string folder_ = temporary_ / "new/deep/store";
  std::unique_ptr<Store> store_;
};

TEST_F(FolderStoreTest, GivesBackWhatWasPutInEveryKind) {
  for (const Kind kind : kAllKinds) {
    const Sample object = sample(static_cast<std::uint64_t>(kind));
    ASSERT_TRUE(store_->put(kind, object.id, object.bytes)) << name_of(kind);
    EXPECT_EQ(store_->get(kind, object.id, kNoLimit).value(), object.bytes);
    EXPECT_EQ(listed(*store_, kind), std::vector{object.id});
    EXPECT_TRUE(fs::exists(path_of(kind, object.id)));
  }
  EXPECT_TRUE(store_->sync());
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(FolderStoreTest, PuttingAgainLeavesTheFileAsItWas) {
  const Sample object = sample(3);
  ASSERT_TRUE(store_->put(Kind::kPack, object.id, object.bytes));
  struct stat before{};
  ASSERT_EQ(::stat(path_of(Kind::kPack, object.id).c_str(), &before), 0);
  ASSERT_TRUE(store_->put(Kind::kPack, object.id, object.bytes));
  struct stat after{};
  ASSERT_EQ(::stat(path_of(Kind::kPack, object.id).c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(FolderStoreTest, PuttingAgainHealsATruncatedObject) {
  const Sample object = sample(4);
  overwrite(path_of(Kind::kIndex, object.id), "half");
  ASSERT_TRUE(store_->put(Kind::kIndex, object.id, object.bytes));
  EXPECT_EQ(store_->get(Kind::kIndex, object.id, kNoLimit).value(), object.bytes);
}

TEST_F(FolderStoreTest, PuttingReplacesASymlinkAndNotWhatItPointsTo) {
  const Sample object = sample(5);
  const std::string victim = temporary_ / "victim";
  overwrite(victim, "precious");
  fs::create_symlink(victim, path_of(Kind::kIndex, object.id));
  ASSERT_TRUE(store_->put(Kind::kIndex, object.id, object.bytes));
  EXPECT_EQ(store_->get(Kind::kIndex, object.id, kNoLimit).value(), object.bytes);
  EXPECT_EQ(fs::file_size(victim), 8u);
}

TEST_F(FolderStoreTest, KeepsObjectsFromOtherUsersAndFromBeingEdited) {
  const Sample object = sample(6);
  ASSERT_TRUE(store_->put(Kind::kPack, object.id, object.bytes));
  const std::string path = path_of(Kind::kPack, object.id);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read);
  EXPECT_EQ(fs::status(fs::path(path).parent_path()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms::owner_all);
}

TEST_F(FolderStoreTest, NamesTheDamagedObjectAndSaysWhatToDo) {
  const Sample object = sample(9);
  ASSERT_TRUE(store_->put(Kind::kSnapshot, object.id, object.bytes));
  base::Bytes altered = object.bytes;
  altered[500] ^= 1;
  overwrite(path_of(Kind::kSnapshot, object.id), base::as_text(altered));
  const base::Error error = store_->get(Kind::kSnapshot, object.id, kNoLimit).error();
  EXPECT_EQ(error.code(), ErrorCode::kDamaged);
  EXPECT_NE(error.message().find("snapshot " + object.id.hex() + " in " + folder_), std::string::npos) << error.text();
  EXPECT_NE(error.hint().find("kura check"), std::string::npos) << error.text();
  EXPECT_NE(error.hint().find("another copy"), std::string::npos) << error.text();
}

TEST_F(FolderStoreTest, ReportsTruncatedSwappedAndOversizedObjects) {
  const Sample object = sample(10);
  const std::string path = path_of(Kind::kIndex, object.id);
  overwrite(path, base::as_text(base::ByteSpan(object.bytes).first(999)));
  EXPECT_EQ(store_->get(Kind::kIndex, object.id, kNoLimit).error().code(), ErrorCode::kDamaged);
  overwrite(path, base::as_text(sample(11).bytes));
  EXPECT_EQ(store_->get(Kind::kIndex, object.id, kNoLimit).error().code(), ErrorCode::kDamaged);
  overwrite(path, base::as_text(object.bytes));
  EXPECT_TRUE(store_->get(Kind::kIndex, object.id, 1000));
  EXPECT_EQ(store_->get(Kind::kIndex, object.id, 999).error().code(), ErrorCode::kDamaged);
}

TEST_F(FolderStoreTest, RefusesAGiantObjectWithoutReadingIt) {
  const Sample object = sample(12);
  const std::string path = path_of(Kind::kIndex, object.id);
  overwrite(path, "");
  fs::resize_file(path, std::uint64_t{1} << 40);  // sparse: reading it would take minutes and a terabyte of memory
  const base::Error error = store_->get(Kind::kIndex, object.id, 1 << 20).error();
  EXPECT_EQ(error.code(), ErrorCode::kDamaged);
}

TEST_F(FolderStoreTest, FollowsNoSymlinkAndWaitsForNoFifo) {
  const Sample object = sample(13);
  const std::string outside = temporary_ / "outside";
  overwrite(outside, base::as_text(object.bytes));
  fs::create_symlink(outside, path_of(Kind::kIndex, object.id));
  EXPECT_EQ(store_->get(Kind::kIndex, object.id, kNoLimit).error().code(), ErrorCode::kDamaged);
  EXPECT_EQ(store_->stat(Kind::kIndex, object.id).error().code(), ErrorCode::kDamaged);
  base::Bytes out(1);
  EXPECT_EQ(store_->read_at(Kind::kIndex, object.id, 0, out).error().code(), ErrorCode::kDamaged);
  EXPECT_TRUE(listed(*store_, Kind::kIndex).empty());

  const Sample pipe = sample(14);
  ASSERT_EQ(::mkfifo(path_of(Kind::kIndex, pipe.id).c_str(), 0600), 0);
  EXPECT_EQ(store_->get(Kind::kIndex, pipe.id, kNoLimit).error().code(), ErrorCode::kDamaged);
}

TEST_F(FolderStoreTest, ListsNoForeignNames) {
  const Sample object = sample(15);
  ASSERT_TRUE(store_->put(Kind::kPack, object.id, object.bytes));
  const std::string hex = object.id.hex();
  const std::string packs = folder_ + "/packs/";
  const std::string elsewhere = hex.starts_with("00") ? "01" : "00";
  std::string upper = hex.substr(0, 62) + "AB";
  fs::create_directories(packs + elsewhere);
  fs::create_directories(packs + "lost+found");
  fs::create_directories(packs + "FF");
  fs::create_directories(packs + elsewhere + "/" + elsewhere + std::string(62, 'a'));
  fs::create_directory_symlink(packs + hex.substr(0, 2), packs + "zz");
  for (const std::string& name :
       {hex, hex.substr(0, 2) + "/.nfs00000001", hex.substr(0, 2) + "/Thumbs.db", hex.substr(0, 2) + "/" + hex + "~",
        hex.substr(0, 2) + "/" + upper, elsewhere + "/" + hex, "lost+found/" + hex, "FF/" + hex}) {
    overwrite(packs + name, "foreign");
  }
  EXPECT_EQ(listed(*store_, Kind::kPack), std::vector{object.id});
}

TEST_F(FolderStoreTest, ListsPacksOfAllSubfoldersWithTheirSizes) {
  std::vector<ObjectId> put;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Sample object = sample(1000 + i, 10 + i);
    ASSERT_TRUE(store_->put(Kind::kPack, object.id, object.bytes));
    EXPECT_EQ(store_->stat(Kind::kPack, object.id).value().size, 10 + i);
    put.push_back(object.id);
  }
  std::ranges::sort(put);
  EXPECT_EQ(listed(*store_, Kind::kPack), put);
}

TEST_F(FolderStoreTest, AMissingKindFolderIsAnEmptyListAndIsMadeWhenNeeded) {
  fs::remove_all(folder_ + "/leases");
  fs::remove_all(folder_ + "/packs");
  fs::remove_all(folder_ + "/tmp");
  auto store = open_folder_store(folder_, posix_file_system()).value();
  EXPECT_TRUE(store->list(Kind::kLease).value().empty());
  EXPECT_TRUE(store->list(Kind::kPack).value().empty());
  const Sample object = sample(16);
  EXPECT_TRUE(store->put(Kind::kPack, object.id, object.bytes));
  EXPECT_TRUE(store->put(Kind::kLease, object.id, object.bytes));
  EXPECT_TRUE(store->sync());
}

TEST_F(FolderStoreTest, AStoreThatWentAwayIsNotAnEmptyOne) {
  fs::rename(folder_, folder_ + ".unmounted");
  fs::create_directory(folder_);
  EXPECT_EQ(store_->list(Kind::kSnapshot).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->list(Kind::kPack).error().code(), ErrorCode::kNotFound);
}

TEST_F(FolderStoreTest, TheClockAgreesWithWhatItWritesOnReceivedObjects) {
  const std::int64_t before = store_->now().value();
  const Sample object = sample(17);
  ASSERT_TRUE(store_->put(Kind::kLease, object.id, object.bytes));
  const std::int64_t received = store_->stat(Kind::kLease, object.id).value().received;
  const std::int64_t after = store_->now().value();
  EXPECT_LE(before, received);
  EXPECT_LE(received, after);
  EXPECT_EQ(store_->list(Kind::kLease).value().front().received, received);
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(FolderStoreTest, ReceiptAtAnImpossibleTimeStillAllowsReckoning) {
  constexpr std::int64_t kLastNs = std::int64_t{1} << 62;
  const Sample object = sample(18);
  ASSERT_TRUE(store_->put(Kind::kLease, object.id, object.bytes));
  for (const std::int64_t second : {-11'676'096'000LL, 13'569'465'600LL}) {  // the years 1600 and 2400
    const timespec times[] = {{.tv_sec = second, .tv_nsec = 7}, {.tv_sec = second, .tv_nsec = 7}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path_of(Kind::kLease, object.id).c_str(), times, 0), 0);
    const std::int64_t received = store_->stat(Kind::kLease, object.id).value().received;
    EXPECT_GE(received, 0);
    EXPECT_LE(received, kLastNs);
  }
}

TEST_F(FolderStoreTest, ThreadsMayPutTheSameObjectsAtOnce) {
  constexpr std::uint64_t kShared = 40;
  std::vector<std::jthread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i < kShared; ++i) {
        const Sample object = sample(i, 5000);
        if (!store_->put(Kind::kPack, object.id, object.bytes)) ++failures;
        if (store_->get(Kind::kPack, object.id, kNoLimit) != object.bytes) ++failures;
        if (i % 8 == 0 && !store_->sync()) ++failures;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(listed(*store_, Kind::kPack).size(), kShared);
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(FolderStoreTest, CreatingAgainOpensWhatIsThere) {
  const Sample object = sample(18);
  ASSERT_TRUE(store_->put(Kind::kConfig, object.id, object.bytes));
  auto again = create_folder_store(folder_ + "//", posix_file_system());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ((*again)->describe(), folder_);
  EXPECT_EQ((*again)->get(Kind::kConfig, object.id, kNoLimit).value(), object.bytes);
  std::ifstream read_me(folder_ + "/README.txt");
  const std::string text((std::istreambuf_iterator<char>(read_me)), {});
  EXPECT_NE(text.find("Do not edit"), std::string::npos);
  EXPECT_NE(text.find("docs/format.md"), std::string::npos);
}

TEST_F(FolderStoreTest, ASymlinkToTheRepositoryOpensIt) {
  const std::string link = temporary_ / "link";
  fs::create_directory_symlink(folder_, link);
  auto store = create_folder_store(link, posix_file_system());
  ASSERT_TRUE(store) << store.error().text();
  const Sample object = sample(19);
  EXPECT_TRUE((*store)->put(Kind::kPack, object.id, object.bytes));
  EXPECT_TRUE((*store)->sync());
  EXPECT_TRUE(store_->get(Kind::kPack, object.id, kNoLimit));
}

TEST(OpenFolderStore, SaysWhatIsMissing) {
  test::TemporaryFolder folder;
  const base::Error missing = open_folder_store(folder / "gone", posix_file_system()).error();
  EXPECT_EQ(missing.code(), ErrorCode::kNotFound);
  EXPECT_NE(missing.message().find("gone does not exist"), std::string::npos) << missing.text();
  const base::Error empty = open_folder_store(folder.path(), posix_file_system()).error();
  EXPECT_EQ(empty.code(), ErrorCode::kNotFound);
  EXPECT_NE(empty.message().find("is not a repository"), std::string::npos) << empty.text();
  EXPECT_NE(empty.hint().find("kura init"), std::string::npos) << empty.text();
  std::ofstream(folder / "file") << "text";
  EXPECT_EQ(open_folder_store(folder / "file", posix_file_system()).error().code(), ErrorCode::kNotFound);
}

TEST(CreateFolderStore, RefusesAFolderWithOtherThingsInIt) {
  test::TemporaryFolder folder;
  std::ofstream(folder / "thesis.txt") << "text";
  EXPECT_EQ(create_folder_store(folder.path(), posix_file_system()).error().code(), ErrorCode::kExists);
  EXPECT_FALSE(fs::exists(folder / "config"));
}

TEST(CreateFolderStore, TakesTheRootOfAFreshFileSystem) {
  test::TemporaryFolder folder;
  fs::create_directory(folder / "lost+found");
  EXPECT_TRUE(create_folder_store(folder.path(), posix_file_system()));
}

TEST(PosixFileSystem, ListsAFolderOfThousandsWholeWhileOthersOfItsNamesGo) {
  const test::TemporaryFolder folder;
  constexpr std::size_t kStays = 1500, kGoes = 1500;
  for (std::size_t i = 0; i < kStays; ++i)
    std::ofstream(folder / fmt::format("stays-{}", i)) << std::string(i % 50, 'x');
  for (std::size_t i = 0; i < kGoes; ++i) std::ofstream(folder / fmt::format("goes-{}", i));
  std::jthread remover([&] {
    for (std::size_t i = 0; i < kGoes; ++i) fs::remove(folder / fmt::format("goes-{}", i));
  });
  do {
    const auto entries = posix_file_system().list(folder.path());
    ASSERT_TRUE(entries.has_value()) << entries.error().text();
    std::map<std::string, std::uint64_t> sizes;
    for (const FileSystem::Entry& entry : *entries) {
      EXPECT_EQ(entry.type, FileSystem::Type::kFile);
      EXPECT_TRUE(sizes.emplace(entry.name, entry.size).second) << entry.name;
    }
    for (std::size_t i = 0; i < kStays; ++i) ASSERT_EQ(sizes.at(fmt::format("stays-{}", i)), i % 50);
  } while (fs::exists(folder / fmt::format("goes-{}", kGoes - 1)));
}

}  // namespace
}  // namespace kura::store
