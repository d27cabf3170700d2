#include <filesystem>

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "store/folder_store.h"
#include "store/spooled_upload.h"
#include "support/temporary_folder.h"

namespace kura::store {
namespace {

using base::ErrorCode;

// A store that has no uploads of its own.
class Gathering final : public Store {
 public:
  explicit Gathering(std::unique_ptr<Store> below) : below_(std::move(below)) {}
  base::Status put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override {
    return below_->put(kind, id, parts);
  }
  base::Status replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override {
    return below_->replace(kind, id, parts);
  }
  base::Result<base::Bytes> get(Kind kind, const ObjectId& id, std::uint64_t limit) override {
    return below_->get(kind, id, limit);
  }
  base::Status read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) override {
    return below_->read_at(kind, id, offset, out);
  }
  base::Result<ObjectInfo> stat(Kind kind, const ObjectId& id) override { return below_->stat(kind, id); }
  base::Result<std::vector<ObjectInfo>> list(Kind kind) override { return below_->list(kind); }
  base::Status remove(Kind kind, const ObjectId& id) override { return below_->remove(kind, id); }
  base::Status sync() override { return below_->sync(); }
  base::Result<std::int64_t> now() override { return below_->now(); }
  std::string describe() const override { return below_->describe(); }

 private:
  std::unique_ptr<Store> below_;
};

enum class How : std::uint8_t { kFolder, kGathered, kSpooled };

class UploadTest : public ::testing::TestWithParam<How> {
 protected:
  void SetUp() override {
    auto store = create_folder_store(folder_ / "store", posix_file_system());
    ASSERT_TRUE(store);
    store_ = GetParam() == How::kGathered ? std::make_unique<Gathering>(*std::move(store)) : *std::move(store);
  }
  std::unique_ptr<Upload> begin(std::uint64_t size) {
    auto upload = GetParam() == How::kSpooled ? spooled_upload(*store_, Kind::kPack, id_, size, spool_.path())
                                              : store_->upload(Kind::kPack, id_, size);
    EXPECT_TRUE(upload);
    return *std::move(upload);
  }
  std::size_t files_in_tmp() const {
    const std::filesystem::path tmp = folder_ / "store/tmp";
    std::error_code none;
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(tmp, none), {}) +
                                    std::distance(std::filesystem::directory_iterator(spool_.path()), {}));
  }
  bool is_there() { return store_->stat(Kind::kPack, id_).has_value(); }

  kura::test::TemporaryFolder folder_, spool_;
  std::unique_ptr<Store> store_;
  const base::Bytes bytes_ = crypto::random_bytes(3000);
  const ObjectId id_ = crypto::sha256(bytes_);
};

TEST_P(UploadTest, IsThereWholeWhenFinishedAndNotBefore) {
  const auto upload = begin(bytes_.size());
  ASSERT_TRUE(upload->write(base::ByteSpan(bytes_).first(1000)));
  ASSERT_TRUE(upload->write(base::ByteSpan(bytes_).subspan(1000)));
  EXPECT_FALSE(is_there());
  ASSERT_TRUE(upload->finish());
  const auto read = store_->get(Kind::kPack, id_, 5000);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, bytes_);
}

TEST_P(UploadTest, OneThatIsGivenUpLeavesNothing) {
  ASSERT_TRUE(begin(bytes_.size())->write(bytes_));
  EXPECT_FALSE(is_there());
  EXPECT_EQ(files_in_tmp(), 0U);
}

TEST_P(UploadTest, OtherBytesThanTheNameSaysAreRefused) {
  base::Bytes altered = bytes_;
  altered[1234] ^= 1;
  {
    const auto upload = begin(altered.size());
    ASSERT_TRUE(upload->write(altered));
    const auto finished = upload->finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().code(), ErrorCode::kDamaged);
  }
  EXPECT_FALSE(is_there());
  EXPECT_EQ(files_in_tmp(), 0U);
}

TEST_P(UploadTest, MoreOrLessThanAnnouncedIsRefused) {
  {
    const auto upload = begin(bytes_.size() - 1);
    const auto written = upload->write(bytes_);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code(), ErrorCode::kDamaged);
  }
  {
    const auto upload = begin(bytes_.size() + 1);
    ASSERT_TRUE(upload->write(bytes_));
    EXPECT_FALSE(upload->finish());
  }
  EXPECT_FALSE(is_there());
}

TEST_P(UploadTest, WhatIsThereAlreadyStaysWhole) {
  ASSERT_TRUE(store_->put(Kind::kPack, id_, bytes_));
  const auto upload = begin(bytes_.size());
  ASSERT_TRUE(upload->write(bytes_));
  ASSERT_TRUE(upload->finish());
  EXPECT_EQ(*store_->get(Kind::kPack, id_, 5000), bytes_);
}

INSTANTIATE_TEST_SUITE_P(Stores, UploadTest, ::testing::Values(How::kFolder, How::kGathered, How::kSpooled),
                         [](const auto& info) {
                           return info.param == How::kFolder     ? "Folder"
                                  : info.param == How::kGathered ? "Gathered"
                                                                 : "Spooled";
                         });

}  // namespace
}  // namespace kura::store
