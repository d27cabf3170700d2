// What every store promises (store.h), asked of each kind of store. A bucket takes part when KURA_TEST_S3 names one and
// the access key is in the environment: tests/system/test_s3_conformance.py starts a real server and does that.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/parallel.h"
#include "support/store/sample.h"
#include "support/temporary_folder.h"

namespace kura::store {
namespace {

using base::ErrorCode;

class StoreConformance : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "folder") {
      address_ = folder_ / "store";
    } else {
      const char* bucket = std::getenv("KURA_TEST_S3");
      if (bucket == nullptr) GTEST_SKIP() << "KURA_TEST_S3 names no bucket";
      const auto* test = testing::UnitTest::GetInstance()->current_test_info();
      address_ = fmt::format("{}/{}?retry=2s", bucket, std::string_view(test->name()).substr(0, 40));
    }
    auto made = create_store(address_);
    ASSERT_TRUE(made) << made.error().text();
    store_ = std::move(*made);
  }

  test::TemporaryFolder folder_;
  std::string address_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreConformance, GivesBackWhatWasPutInEveryKind) {
  for (const Kind kind : kAllKinds) {
    const Sample object = sample(static_cast<std::uint64_t>(kind));
    ASSERT_TRUE(store_->put(kind, object.id, object.bytes)) << name_of(kind);
    EXPECT_EQ(store_->get(kind, object.id, kNoLimit).value(), object.bytes);
    EXPECT_EQ(store_->stat(kind, object.id).value().size, object.bytes.size());
    EXPECT_EQ(listed(*store_, kind), std::vector{object.id});
  }
  EXPECT_TRUE(store_->sync());
}

TEST_P(StoreConformance, StoresTheConcatenationOfPartsAndAnEmptyObject) {
  const Sample object = sample(1, 3'000'000);
  const base::ByteSpan all = object.bytes;
  const base::ByteSpan parts[] = {all.first(1), {}, all.subspan(1, 70'000), all.subspan(70'001)};
  ASSERT_TRUE(store_->put(Kind::kPack, object.id, parts));
  EXPECT_EQ(store_->get(Kind::kPack, object.id, kNoLimit).value(), object.bytes);
  const ObjectId empty = crypto::sha256({});
  ASSERT_TRUE(store_->put(Kind::kIndex, empty, base::ByteSpan{}));
  EXPECT_TRUE(store_->get(Kind::kIndex, empty, 0).value().empty());
}

TEST_P(StoreConformance, ReadsFromTheMiddleAndNotPastTheEnd) {
  const Sample object = sample(2, 500);
  ASSERT_TRUE(store_->put(Kind::kPack, object.id, object.bytes));
  base::Bytes out(100);
  ASSERT_TRUE(store_->read_at(Kind::kPack, object.id, 400, out));
  EXPECT_TRUE(std::ranges::equal(out, base::ByteSpan(object.bytes).last(100)));
  for (const std::uint64_t offset : {std::uint64_t{401}, std::uint64_t{500}, ~std::uint64_t{0}}) {
    EXPECT_EQ(store_->read_at(Kind::kPack, object.id, offset, out).error().code(), ErrorCode::kDamaged) << offset;
  }
  EXPECT_TRUE(store_->read_at(Kind::kPack, object.id, 0, {}));
}

TEST_P(StoreConformance, PuttingAgainIsNoErrorAndChangesNothing) {
  const Sample object = sample(3);
  ASSERT_TRUE(store_->put(Kind::kIndex, object.id, object.bytes));
  const std::int64_t received = store_->stat(Kind::kIndex, object.id).value().received;
  ASSERT_TRUE(store_->put(Kind::kIndex, object.id, object.bytes));
  EXPECT_EQ(store_->stat(Kind::kIndex, object.id).value().received, received);
  EXPECT_EQ(listed(*store_, Kind::kIndex), std::vector{object.id});
}

TEST_P(StoreConformance, AnObjectOfAnotherSizeIsReplacedByPutting) {
  const Sample object = sample(4), other = sample(5, 10);
  static_cast<void>(store_->put(Kind::kIndex, object.id, other.bytes));  // a store that looks at the bytes refuses it
  ASSERT_TRUE(store_->put(Kind::kIndex, object.id, object.bytes));
  EXPECT_EQ(store_->get(Kind::kIndex, object.id, kNoLimit).value(), object.bytes);
}

TEST_P(StoreConformance, WhatIsNotThereIsSaidByItsName) {
  const ObjectId id = sample(6).id;
  base::Bytes out(1);
  for (const base::Error& error :
       {store_->get(Kind::kPack, id, kNoLimit).error(), store_->stat(Kind::kPack, id).error(),
        store_->read_at(Kind::kPack, id, 0, out).error()}) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound) << error.text();
    EXPECT_NE(error.message().find("pack " + id.hex() + " is not in " + store_->describe()), std::string::npos)
        << error.text();
  }
}

TEST_P(StoreConformance, RemovesAndDoesNotMindWhatIsNotThere) {
  const Sample object = sample(7);
  ASSERT_TRUE(store_->put(Kind::kPack, object.id, object.bytes));
  EXPECT_TRUE(store_->remove(Kind::kPack, object.id));
  EXPECT_TRUE(store_->remove(Kind::kPack, object.id));
  EXPECT_TRUE(store_->remove(Kind::kPack, sample(8).id)) << "nothing like it was ever there";
  EXPECT_EQ(store_->get(Kind::kPack, object.id, kNoLimit).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->stat(Kind::kPack, object.id).error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(listed(*store_, Kind::kPack).empty());
  EXPECT_TRUE(store_->sync());
}

TEST_P(StoreConformance, BytesThatAreNotTheirNamesOrTooManyAreDamage) {
  const Sample object = sample(8);
  base::Bytes altered = object.bytes;
  altered[500] ^= 1;
  const ObjectId altered_id = crypto::sha256(altered);
  ASSERT_TRUE(store_->put(Kind::kSnapshot, altered_id, altered));
  EXPECT_EQ(store_->get(Kind::kSnapshot, altered_id, altered.size() - 1).error().code(), ErrorCode::kDamaged);
  EXPECT_TRUE(store_->get(Kind::kSnapshot, altered_id, altered.size()));
  // A store believes its caller, or refuses; it never gives wrong bytes for right ones.
  if (store_->put(Kind::kSnapshot, object.id, altered)) {
    EXPECT_EQ(store_->get(Kind::kSnapshot, object.id, kNoLimit).error().code(), ErrorCode::kDamaged);
  }
}

TEST_P(StoreConformance, VerifiesWhatIsWholeAndTellsOtherBytesOtherSizesAndNone) {
  for (const std::size_t size : {8U, 70'000U, 1U << 20, 3'000'001U}) {
    const Sample object = sample(7, size);
    ASSERT_TRUE(store_->put(Kind::kPack, object.id, object.bytes));
    EXPECT_TRUE(store_->verify(Kind::kPack, object.id, size)) << size;
    const auto longer = store_->verify(Kind::kPack, object.id, size + 1);
    ASSERT_FALSE(longer) << size;
    EXPECT_EQ(longer.error().code(), ErrorCode::kDamaged) << size;
  }
  Sample other = sample(8, 2'000'000);
  const ObjectId name = other.id;
  other.bytes[1'900'000] ^= 1;
  ASSERT_TRUE(store_->put(Kind::kPack, crypto::sha256(other.bytes), other.bytes));
  EXPECT_EQ(store_->verify(Kind::kPack, name, other.bytes.size()).error().code(), ErrorCode::kNotFound);
  if (GetParam() != "folder") return;  // a server does not take bytes that are not their names
  ASSERT_TRUE(store_->put(Kind::kPack, name, other.bytes));
  const auto damaged = store_->verify(Kind::kPack, name, other.bytes.size());
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code(), ErrorCode::kDamaged);
}

TEST_P(StoreConformance, TheClockAgreesWithWhatItSaysOfReceivedObjects) {
  const std::int64_t before = store_->now().value() - store_->clock_error();
  const Sample object = sample(9);
  ASSERT_TRUE(store_->put(Kind::kLease, object.id, object.bytes));
  const std::int64_t received = store_->stat(Kind::kLease, object.id).value().received;
  EXPECT_LE(before, received);
  EXPECT_LE(received, store_->now().value() + store_->clock_error());
  EXPECT_EQ(store_->list(Kind::kLease).value().front().received, received);
}

TEST_P(StoreConformance, ManyObjectsAreListedEachOnce) {
  constexpr std::size_t kMany = 1100;  // more than a page of S3
  for (const Kind kind : {Kind::kPack, Kind::kLease}) {
    ASSERT_TRUE(base::each_on_threads(kMany, 16, [&](std::size_t i) {
      const Sample object = sample(i, 10);
      return store_->put(kind, object.id, object.bytes);
    }));
    std::vector<ObjectId> put;
    for (std::size_t i = 0; i < kMany; ++i) put.push_back(sample(i, 10).id);
    std::ranges::sort(put);
    EXPECT_EQ(listed(*store_, kind), put) << name_of(kind);
  }
}

TEST_P(StoreConformance, ThreadsMayPutTheSameObjectsAtOnceAndSeeThemThen) {
  constexpr std::uint64_t kShared = 20;
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (std::uint64_t i = 0; i < kShared; ++i) {
          const Sample object = sample(i, 5000);
          if (!store_->put(Kind::kPack, object.id, object.bytes)) ++failures;
          if (store_->get(Kind::kPack, object.id, kNoLimit) != object.bytes) ++failures;
        }
        if (!store_->sync()) ++failures;
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(listed(*store_, Kind::kPack).size(), kShared);
}

TEST_P(StoreConformance, ASecondStoreAtTheSameAddressSeesWhatTheFirstHasPut) {
  const Sample config = sample(10), pack = sample(11);
  ASSERT_TRUE(store_->put(Kind::kConfig, config.id, config.bytes));
  const auto second = open_store(address_);
  ASSERT_TRUE(second) << second.error().text();
  ASSERT_TRUE(store_->put(Kind::kPack, pack.id, pack.bytes));
  EXPECT_EQ(listed(**second, Kind::kPack), std::vector{pack.id});
  EXPECT_EQ((*second)->get(Kind::kPack, pack.id, kNoLimit).value(), pack.bytes);
}

TEST_P(StoreConformance, AStoreWithoutLocksLeavesThemAlone) {
  std::vector<Lock> locks{{.id = sample(12).id}};
  EXPECT_FALSE(store_->locks_objects());
  EXPECT_TRUE(store_->extend_locks(Kind::kPack, locks));
  EXPECT_EQ(locks.front().until, 0);
}

INSTANTIATE_TEST_SUITE_P(Folder, StoreConformance, testing::Values("folder"));
INSTANTIATE_TEST_SUITE_P(Bucket, StoreConformance, testing::Values("s3"));

}  // namespace
}  // namespace kura::store
