// A database of derived data, of SQLite or PostgreSQL, and what is remembered in it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "support/vault/postgresql_server.h"
#include "vault/derived/derived.h"

namespace kura::vault::test {

enum class Engine { kSqlite, kPostgresql };

inline store::ObjectId id_of(std::uint32_t number) { return crypto::sha256(base::as_bytes(std::to_string(number))); }

using AllNeeds = std::map<store::ObjectId, std::vector<archive::NeededPacks>>;

class DerivedWorld : public ::testing::TestWithParam<Engine> {
 protected:
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    address_ = folder_ / "derived.sqlite";
    if (GetParam() == Engine::kSqlite) return;
    if (server_ == nullptr) server_ = PostgresqlServer::make();
    if (server_ == nullptr) GTEST_SKIP() << "postgresql-15 is not installed";
    name_ = server_->make_database();
    address_ = server_->url(name_);
  }
  std::shared_ptr<Database> open(std::uint8_t seed = 1) {
    Database::Options options{.address = address_,
                              .seed = base::Key(base::Bytes(32, seed)),
                              .pause = std::chrono::milliseconds(10),
                              .told = [this](const std::optional<base::Error>& trouble) {
                                const base::MutexLock lock(told_mutex_);
                                told_.push_back(trouble ? trouble->message() : "");
                              }};
    options.owner.fill(seed);
    return *Database::open(std::move(options));
  }
  std::unique_ptr<Connection> connect() const {
    return GetParam() == Engine::kSqlite ? *connect_sqlite(address_)
                                         : *connect_postgresql(address_, std::chrono::seconds(10));
  }
  std::vector<std::string> told() {
    const base::MutexLock lock(told_mutex_);
    return told_;
  }
  static AllNeeds all_of(Derived& derived, std::span<const store::ObjectId> indexes) {
    AllNeeds found;
    derived.for_each(indexes, [&](const store::ObjectId& id, const auto& needs) { found[id] = needs; });
    return found;
  }
  static void settle(Database& database) { ASSERT_TRUE(database.settled(std::chrono::seconds(20))); }

  kura::test::TemporaryFolder folder_;
  std::string address_, name_;
  static inline std::unique_ptr<PostgresqlServer> server_;

 private:
  base::Mutex told_mutex_;
  std::vector<std::string> told_ KURA_GUARDED_BY(told_mutex_);
};

}  // namespace kura::vault::test
