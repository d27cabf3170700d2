// A vault's server and a machine's store in one process: the same threads and parsers as in two, under the sanitizers.
#include "net/server.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "store/store.h"
#include "store/vault_enrolment.h"
#include "support/archive/repository_builder.h"
#include "support/temporary_folder.h"
#include "vault/server/admin.h"
#include "vault/server/api.h"

namespace kura::vault {
namespace {

using archive::test::RepositoryBuilder;
using base::ErrorCode;
using store::Kind;
using store::ObjectId;

class VaultServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto site = Site::create(folder_ / "vault", "a", {"127.0.0.1"});
    ASSERT_TRUE(site) << site.error().text();
    site_ = *std::move(site);
    server_ = net::Server::create({});
    api_ = std::make_unique<Api>(*site_, *server_);
    const auto port = server_->listen({.address = "127.0.0.1",
                                       .port = 0,
                                       .certificate_chain = site_->server_chain(),
                                       .key = site_->server_key(),
                                       .clients = site_->authority().certificate()},
                                      *api_);
    ASSERT_TRUE(port) << port.error().text();
    address_ = {.host = "127.0.0.1", .port = *port, .repository = "office"};
    runner_ = std::jthread([this](const std::stop_token& stop) { server_->run(stop); });
  }
  // As machine `name`, with a state folder of that name.
  std::unique_ptr<store::Store> enter(const std::string& name) {
    const std::string state = folder_ / name;
    const auto token = site_->invite({.machine = name, .repository = "office"}, 3600 * base::kSecond);
    EXPECT_TRUE(token) << token.error().text();
    const auto enrolled = store::vault::enrol(address_, *token, address_.identity_folder(state), {});
    EXPECT_TRUE(enrolled) << enrolled.error().text();
    auto opened = store::open_store(address_.text(), {.state_folder = state});
    EXPECT_TRUE(opened) << opened.error().text();
    return *std::move(opened);
  }
  void send(store::Store& vault, Kind kind, const ObjectId& id) {
    const base::Bytes bytes = *builder_.store().get(kind, id, 1U << 30);
    const auto put = vault.put(kind, id, base::ByteSpan(bytes));
    EXPECT_TRUE(put) << put.error().text();
  }
  void introduce(store::Store& vault) {
    for (const Kind kind : {Kind::kConfig, Kind::kKey}) {
      for (const store::ObjectInfo& info : *builder_.store().list(kind)) send(vault, kind, info.id);
    }
  }

  kura::test::TemporaryFolder folder_;
  RepositoryBuilder builder_;
  std::unique_ptr<Site> site_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<Api> api_;
  store::vault::Address address_;
  std::jthread runner_;
};

TEST_F(VaultServerTest, KeepsAndGivesBackWhatAMachineStores) {
  const auto vault = enter("pc1");
  introduce(*vault);
  const ObjectId snapshot = builder_.commit({builder_.file("file", std::string(300'000, 'x'))}).id;
  for (const ObjectId& id : builder_.packs()) send(*vault, Kind::kPack, id);
  for (const ObjectId& id : builder_.indexes()) send(*vault, Kind::kIndex, id);
  ASSERT_TRUE(vault->sync());
  send(*vault, Kind::kSnapshot, snapshot);

  const ObjectId pack = builder_.packs().front();
  const base::Bytes bytes = *builder_.store().get(Kind::kPack, pack, 1U << 30);
  EXPECT_EQ(*vault->get(Kind::kPack, pack, 1U << 30), bytes);
  base::Bytes part(20);
  ASSERT_TRUE(vault->read_at(Kind::kPack, pack, 30, part));
  EXPECT_TRUE(std::ranges::equal(part, base::ByteSpan(bytes).subspan(30, 20)));
  EXPECT_EQ(vault->stat(Kind::kPack, pack)->size, bytes.size());
  EXPECT_EQ(vault->list(Kind::kPack)->size(), builder_.packs().size());
  EXPECT_EQ(vault->list(Kind::kSnapshot)->front().id, snapshot);
  const auto now = vault->now();
  ASSERT_TRUE(now) << now.error().text();
  EXPECT_LT(std::abs(*now - base::now_ns()), 60 * base::kSecond);
}

TEST_F(VaultServerTest, ErrorsComeOverAsTheyAre) {
  const auto vault = enter("pc1");
  introduce(*vault);
  const ObjectId nothing = crypto::sha256(base::as_bytes("nothing"));
  EXPECT_EQ(vault->stat(Kind::kPack, nothing).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(vault->get(Kind::kPack, nothing, 1000).error().code(), ErrorCode::kNotFound);
  base::Bytes part(20);
  EXPECT_FALSE(vault->read_at(Kind::kPack, nothing, 0, part));
  EXPECT_EQ(vault->put(Kind::kPack, nothing, base::as_bytes("something")).error().code(), ErrorCode::kDamaged);
  EXPECT_EQ(vault->put(Kind::kCondemned, nothing, base::as_bytes("nothing")).error().code(), ErrorCode::kDenied);
  EXPECT_EQ(vault->remove(Kind::kPack, nothing).error().code(), ErrorCode::kDenied);
  EXPECT_TRUE(vault->list(Kind::kPack)->empty());
}

TEST_F(VaultServerTest, ManyStoreAtOnce) {
  const auto first = enter("pc1");
  introduce(*first);
  std::vector<std::unique_ptr<store::Store>> machines;
  for (int i = 2; i < 5; ++i) machines.push_back(enter("pc" + std::to_string(i)));
  std::atomic<int> stored = 0;
  {
    std::vector<std::jthread> threads;
    for (const auto& machine : machines) {
      for (int thread = 0; thread < 2; ++thread) {
        threads.emplace_back([&] {
          for (int i = 0; i < 5; ++i) {
            const base::Bytes bytes = crypto::random_bytes(100'000);
            const ObjectId id = crypto::sha256(bytes);
            if (machine->put(Kind::kPack, id, base::ByteSpan(bytes))) ++stored;
            EXPECT_EQ(*machine->get(Kind::kPack, id, 1U << 20), bytes);
            EXPECT_TRUE(machine->list(Kind::kPack));
          }
        });
      }
    }
  }
  EXPECT_EQ(stored, 30);
  EXPECT_EQ(first->list(Kind::kPack)->size(), 30U);
}

TEST_F(VaultServerTest, ARevokedMachineIsTurnedAwayOnTheConnectionThatItHas) {
  const auto vault = enter("pc1");
  ASSERT_TRUE(vault->now());
  ASSERT_TRUE(site_->registry().revoke("pc1", "stolen", base::now_ns()));
  EXPECT_EQ(vault->now().error().code(), ErrorCode::kDenied);
}

TEST_F(VaultServerTest, StopsWhileConnectionsAreOpen) {
  const auto vault = enter("pc1");
  ASSERT_TRUE(vault->now());
  runner_.request_stop();
  runner_.join();
}

}  // namespace
}  // namespace kura::vault
