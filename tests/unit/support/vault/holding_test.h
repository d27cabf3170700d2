// A repository in a vault, and a machine that fills it.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "support/archive/repository_builder.h"
#include "support/temporary_folder.h"
#include "vault/holding/holding.h"

namespace kura::vault::test {

inline constexpr std::int64_t kAnHour = 3600LL * 1'000'000'000;
inline constexpr std::int64_t kADay = 24 * kAnHour;

// Commits one after the other, each with packs of its own, at whatever time the vault's clock shows.
class HoldingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    holding_ = *Holding::create(path_, "office", seed_, [this] { return now_; }, {.space = space_});
    for (const store::Kind kind : {store::Kind::kConfig, store::Kind::kKey}) {
      for (const store::ObjectInfo& info : *builder_.store().list(kind)) {
        ASSERT_TRUE(holding_->put(kind, info.id, object(kind, info.id), "pc1"));
      }
    }
  }
  void reopen() {
    holding_.reset();
    holding_ = *Holding::open(path_, seed_, [this] { return now_; }, {.space = space_});
  }
  base::Bytes object(store::Kind kind, const store::ObjectId& id) const {
    return *builder_.store().get(kind, id, 1U << 30);
  }
  void send(store::Kind kind, const store::ObjectId& id) {
    const base::Bytes bytes = object(kind, id);
    const auto upload = *holding_->upload(kind, id, bytes.size());
    ASSERT_TRUE(upload->write(bytes));
    ASSERT_TRUE(upload->finish());
    holding_->uploaded(kind, id, bytes.size());
  }
  // The packs and the index of a snapshot that needs all that was sent before.
  store::ObjectId send_without_commit(const std::string& text) {
    const std::size_t packs = builder_.packs().size(), indexes = builder_.indexes().size();
    const store::ObjectId id = builder_.commit({builder_.file("file", text)}).id;
    for (std::size_t i = packs; i < builder_.packs().size(); ++i) send(store::Kind::kPack, builder_.packs()[i]);
    for (std::size_t i = indexes; i < builder_.indexes().size(); ++i) send(store::Kind::kIndex, builder_.indexes()[i]);
    return id;
  }
  store::ObjectId back_up(const std::string& text) {
    const store::ObjectId id = send_without_commit(text);
    const auto receipt = holding_->commit(id, object(store::Kind::kSnapshot, id), "pc1");
    EXPECT_TRUE(receipt) << receipt.error().text();
    return id;
  }
  std::size_t count(store::Kind kind) const { return holding_->list(kind)->size(); }
  void keep(const std::string& policy) { ASSERT_TRUE(holding_->set_policy(*Policy::parse(policy), "operator")); }

  archive::test::RepositoryBuilder builder_;
  kura::test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "office";
  const base::Key seed_{base::Bytes(32, 9)};
  std::int64_t now_ = 1'800'000'000'000'000'000 / kADay * kADay + kAnHour;
  std::shared_ptr<Space> space_ = Space::unlimited();
  std::unique_ptr<Holding> holding_;
};

}  // namespace kura::vault::test
