#include "store/store.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "store/object.h"
#include "support/store/faulty_store.h"
#include "support/store/sample.h"
#include "support/temporary_folder.h"

namespace kura::store {
namespace {

using base::ErrorCode;

TEST(StoreAddress, APathAndAFileAddressNameTheSameStore) {
  test::TemporaryFolder folder;
  const std::string path = folder / "my backup %é";
  const Sample object = sample(1);
  ASSERT_TRUE(create_store(path).value()->put(Kind::kConfig, object.id, object.bytes));
  for (const std::string& address : {"file://" + folder.path() + "/my%20backup%20%25%c3%A9",
                                     "file://localhost" + folder.path() + "/my backup %25é", path + "/"}) {
    auto store = open_store(address);
    ASSERT_TRUE(store) << store.error().text();
    EXPECT_EQ((*store)->describe(), path);
    EXPECT_TRUE((*store)->get(Kind::kConfig, object.id, kNoLimit));
  }
}

TEST(StoreAddress, ARelativePathIsAFolder) {
  test::TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  EXPECT_TRUE(create_store("relative/store"));
  EXPECT_TRUE(create_store("plain"));
  EXPECT_TRUE(open_store("./relative/store"));
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "relative/store/config"));
}

TEST(StoreAddress, OtherSchemesAreRefusedByName) {
  for (const std::string scheme : {"http", "sftp", "HTTP", "s3+ftp"}) {
    for (const base::Error& error :
         {open_store(scheme + "://host/bucket").error(), create_store(scheme + "://host/bucket").error()}) {
      EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
      EXPECT_NE(error.message().find(scheme + "://"), std::string::npos) << error.text();
      EXPECT_NE(error.hint().find("file:///"), std::string::npos) << error.text();
    }
  }
}

TEST(StoreAddress, AVaultWhereThisMachineIsNotEnrolledSaysHowToGetThere) {
  test::TemporaryFolder folder;
  const auto store = open_store("https://host/office", {.state_folder = folder.path()});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code(), ErrorCode::kDenied);
  EXPECT_NE(store.error().hint().find("kura enrol https://host:7443"), std::string::npos) << store.error().text();
}

TEST(StoreAddress, WhatIsNoAddressIsSaidToBeNone) {
  for (const char* address : {"", "file://", "file://server/share", "file:///a%2", "file:///a%zz", "file:///a%00b"}) {
    const auto store = open_store(address);
    ASSERT_FALSE(store) << address;
    EXPECT_EQ(store.error().code(), ErrorCode::kUsage) << address << ": " << store.error().text();
  }
}

TEST(ObjectKinds, HaveDistinctFoldersAndNames) {
  std::set<std::string_view> folders;
  std::set<std::string_view> names;
  for (const Kind kind : kAllKinds) {
    folders.insert(folder_of(kind));
    names.insert(name_of(kind));
  }
  EXPECT_EQ(folders.size(), kAllKinds.size());
  EXPECT_EQ(names.size(), kAllKinds.size());
}

TEST(FaultyStoreHelper, FailsAltersAndHidesAsToldAndElseDoesNothing) {
  test::TemporaryFolder folder;
  auto real = create_store(folder / "store").value();
  FaultyStore store(*real);
  const Sample a = sample(1);
  const Sample b = sample(2);
  store.fail_nth(FaultyStore::Call::kPut, 1);
  EXPECT_TRUE(store.put(Kind::kPack, a.id, a.bytes));
  EXPECT_FALSE(store.put(Kind::kPack, b.id, b.bytes));
  EXPECT_TRUE(store.put(Kind::kPack, b.id, b.bytes));
  EXPECT_EQ(store.calls(FaultyStore::Call::kPut), 3u);
  EXPECT_EQ(store.get(Kind::kPack, b.id, kNoLimit).value(), b.bytes);
  store.hide(Kind::kPack, a.id);
  EXPECT_EQ(listed(store, Kind::kPack), std::vector{b.id});
  EXPECT_EQ(store.get(Kind::kPack, a.id, kNoLimit).error().code(), ErrorCode::kNotFound);
  store.alter([](Kind, const ObjectId&, base::Bytes& bytes) { bytes.resize(10); });
  EXPECT_EQ(store.get(Kind::kPack, b.id, kNoLimit).value().size(), 10u);
  base::Bytes out(11);
  EXPECT_EQ(store.read_at(Kind::kPack, b.id, 0, out).error().code(), ErrorCode::kDamaged);
}

TEST(StoreAddress, APlaceInABucketHasItsNameAndTheOptionsAndSaysWhetherItLocks) {
  EXPECT_EQ(place_in_bucket("s3://host:1/bucket/p?object-lock=30d&retry=5m", "pc1").value(),
            "s3://host:1/bucket/p/pc1?object-lock=30d&retry=5m");
  EXPECT_EQ(place_in_bucket("s3+http://host/bucket?object-lock=none", "pc1").value(),
            "s3+http://host/bucket/pc1?object-lock=none");
  for (const char* address :
       {"s3://host/bucket", "s3://host/bucket?retry=5m", "/srv/vault", "https://vault/NAME", "s3://", ""}) {
    const auto place = place_in_bucket(address, "pc1");
    ASSERT_FALSE(place) << address;
    EXPECT_EQ(place.error().code(), ErrorCode::kUsage) << address;
  }
}

}  // namespace
}  // namespace kura::store
