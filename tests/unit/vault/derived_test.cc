#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/unique_fd.h"
#include "support/vault/derived_world.h"

namespace kura::vault {
namespace {

using archive::NeededPacks;
using base::Bytes;
using base::ErrorCode;
using store::Kind;
using store::Lock;
using store::ObjectId;

using test::AllNeeds;
using test::Engine;
using test::id_of;

const ObjectId kRepository = id_of(1'000'000);
const std::vector<ObjectId> kIndexes{id_of(100), id_of(101), id_of(102)};

// What the snapshot of that number needs.
std::vector<NeededPacks> needs_of(std::uint32_t number) {
  return {{.index = kIndexes[0], .bits = Bytes(125, 0xff)},
          {.index = kIndexes[number % 2 + 1], .bits = {static_cast<std::uint8_t>(number), 0x00, 0x80}}};
}

class DerivedTest : public test::DerivedWorld {
 protected:
  AllNeeds fill(std::uint32_t snapshots) {
    const auto database = open();
    Derived derived(database, "office", kRepository);
    AllNeeds all;
    for (std::uint32_t i = 0; i < snapshots; ++i) {
      derived.remember(id_of(i), needs_of(i));
      all[id_of(i)] = needs_of(i);
    }
    settle(*database);
    return all;
  }
  AllNeeds found(std::uint8_t seed = 1, const ObjectId& repository = kRepository) {
    const auto database = open(seed);
    Derived derived(database, "office", repository);
    settle(*database);
    return all_of(derived, kIndexes);
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, DerivedTest, ::testing::Values(Engine::kSqlite, Engine::kPostgresql),
                         [](const auto& of) { return of.param == Engine::kSqlite ? "Sqlite" : "Postgresql"; });

TEST_P(DerivedTest, WhatIsRememberedIsThereAgain) {
  AllNeeds all = fill(250);
  EXPECT_EQ(found(), all);
  {
    const auto database = open();
    Derived derived(database, "office", kRepository);
    derived.forget({id_of(3), id_of(200)});
    settle(*database);
  }
  all.erase(id_of(3));
  all.erase(id_of(200));
  EXPECT_EQ(found(), all);
  EXPECT_TRUE(told().empty());
}

TEST_P(DerivedTest, LocksAreThereAgainOneByOneAndAllTogether) {
  std::vector<Lock> locks;
  for (std::uint32_t i = 0; i < 1000; ++i) locks.push_back({.id = id_of(i), .until = 1'000'000 + i});
  const auto database = open();
  Derived derived(database, "office", kRepository);
  derived.remember_locks(Kind::kPack, locks);
  derived.remember_locks(Kind::kIndex, {{.id = id_of(5), .until = 7}});
  derived.remember_locks(Kind::kPack, {{.id = id_of(5), .until = 2'000'000}});
  derived.forget_locks(Kind::kPack, {id_of(6), id_of(7)});
  settle(*database);
  EXPECT_EQ(derived.locks(Kind::kPack).size(), 998U);
  for (const std::size_t count : {8U, 500U}) {
    std::vector<Lock> wanted;
    for (std::uint32_t i = 0; i < count; ++i) wanted.push_back({.id = id_of(i), .until = 77});
    derived.fill_in(Kind::kPack, wanted);
    EXPECT_EQ(wanted[0].until, 1'000'000);
    EXPECT_EQ(wanted[5].until, 2'000'000);
    EXPECT_EQ(wanted[6].until, 0);
  }
  std::vector<Lock> index{{.id = id_of(5)}};
  derived.fill_in(Kind::kIndex, index);
  EXPECT_EQ(index[0].until, 7);
}

TEST_P(DerivedTest, WhatTheVaultDidNotWriteIsNotBelieved) {
  AllNeeds all = fill(4);
  {
    const auto connection = connect();
    std::vector<Bytes> values;
    ASSERT_TRUE(connection->run("select needs from kura_needs order by snapshot", {},
                                [&](Row row) { values.emplace_back(row[0].begin(), row[0].end()); }));
    ASSERT_EQ(values.size(), 4U);
    const auto put = [&](std::uint32_t snapshot, base::ByteSpan value) {
      ASSERT_TRUE(
          connection->run("update kura_needs set needs = $1 where snapshot = $2", {value, id_of(snapshot).span()}));
    };
    Bytes altered = values[0];
    altered.back() ^= 1;
    put(0, altered);
    put(1, Bytes());
    put(2, Bytes(200, 0xff));
    const Bytes odd(5, 1);
    ASSERT_TRUE(connection->run("insert into kura_needs (repository, snapshot, needs) values ($1, $2, $3)",
                                {kRepository.span(), odd, odd}));
  }
  for (const std::uint32_t i : {0U, 1U, 2U}) all.erase(id_of(i));
  EXPECT_EQ(found(), all);
}

TEST_P(DerivedTest, ValuesOfOneSnapshotSayNothingOfAnother) {
  fill(2);
  {
    const auto connection = connect();
    ASSERT_TRUE(connection->run("delete from kura_needs where snapshot = $1", {id_of(0).span()}));
    ASSERT_TRUE(connection->run("update kura_needs set snapshot = $1", {id_of(0).span()}));
  }
  EXPECT_TRUE(found().empty());
}

TEST_P(DerivedTest, AnotherRepositoryOfThatNameIsNotTakenForThisOne) {
  fill(3);
  EXPECT_TRUE(found(1, id_of(1'000'001)).empty());
  EXPECT_TRUE(found().empty());  // what was there has been forgotten
}

TEST_P(DerivedTest, AnotherVaultIsNotTakenForThisOne) {
  const AllNeeds all = fill(3);
  EXPECT_TRUE(found(2).empty());
  // Vaults may share a server, but no file.
  EXPECT_EQ(found().size(), GetParam() == Engine::kSqlite ? 0 : all.size());
}

TEST_P(DerivedTest, TablesThatAreNotOursAreMadeAnew) {
  for (const char* change : {"drop table kura_needs", "update kura_meta set value = $1 where name = $2",
                             "alter table kura_needs rename column needs to wants"}) {
    AllNeeds all = fill(3);
    {
      const auto connection = connect();
      const Bytes two{'2'};
      const std::string_view name = "version";
      if (std::string_view(change).contains('$')) {
        ASSERT_TRUE(connection->run(change, {two, base::as_bytes(name)}));
      } else {
        ASSERT_TRUE(connection->run(change));
      }
    }
    EXPECT_TRUE(found().empty()) << change;
    all = fill(3);
    EXPECT_EQ(found(), all) << change;
  }
}

TEST_P(DerivedTest, AnIndexThatIsNotThereAnyMoreMakesNothingKnown) {
  fill(4);
  const auto database = open();
  Derived derived(database, "office", kRepository);
  EXPECT_EQ(all_of(derived, std::span(kIndexes).first(2)).size(), 2U);
}

class DerivedFileTest : public DerivedTest {};
INSTANTIATE_TEST_SUITE_P(File, DerivedFileTest, ::testing::Values(Engine::kSqlite));

TEST_P(DerivedFileTest, ADamagedFileIsMadeAnew) {
  for (const std::uintmax_t at : {0U, 20U, 100U, 4096U, 8192U, 20'000U}) {
    for (const bool cut : {false, true}) {
      const AllNeeds all = fill(200);
      if (cut) {
        std::filesystem::resize_file(address_, at);
      } else {
        std::fstream file(address_, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(at));
        for (int i = 0; i < 6000; ++i) file.put(static_cast<char>(i * 37 + i / 256));
      }
      for (const auto& [id, needs] : found()) EXPECT_EQ(needs, all.at(id));
      fill(200);
      EXPECT_EQ(found(), all) << at << (cut ? " cut" : " overwritten");
    }
  }
}

TEST_P(DerivedFileTest, AFileThatGoesCostsNothingButTime) {
  const auto database = open();
  Derived derived(database, "office", kRepository);
  derived.remember(id_of(1), needs_of(1));
  settle(*database);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) std::filesystem::remove(entry);
  derived.remember(id_of(2), needs_of(2));
  settle(*database);
  EXPECT_TRUE(found().empty());
  EXPECT_EQ(fill(2), found());
}

TEST_P(DerivedFileTest, OnlyItsOwnerReadsIt) {
  fill(1);
  struct stat info{};
  ASSERT_EQ(::stat(address_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_P(DerivedFileTest, TroubleIsToldOnceAndWhatWaitsIsWrittenAfterIt) {
  address_ = folder_ / "later/derived.sqlite";
  const auto database = open();
  Derived derived(database, "office", kRepository);
  derived.remember(id_of(1), needs_of(1));
  EXPECT_FALSE(database->settled(std::chrono::milliseconds(200)));
  EXPECT_TRUE(database->trouble());
  EXPECT_EQ(told().size(), 1U);
  EXPECT_FALSE(derived.for_each(kIndexes, [](const auto&, const auto&) { FAIL(); }));
  std::filesystem::create_directory(folder_ / "later");
  settle(*database);
  EXPECT_FALSE(database->trouble());
  ASSERT_EQ(told().size(), 2U);
  EXPECT_EQ(told()[1], "");
  EXPECT_EQ(all_of(derived, kIndexes).size(), 1U);
}

class DerivedServerTest : public DerivedTest {};
INSTANTIATE_TEST_SUITE_P(Server, DerivedServerTest, ::testing::Values(Engine::kPostgresql));

TEST_P(DerivedServerTest, AServerThatIsKilledIsTakenUpAgain) {
  const auto database = open();
  Derived derived(database, "office", kRepository);
  for (std::uint32_t i = 0; i < 20; ++i) derived.remember(id_of(i), needs_of(i));
  settle(*database);
  server_->kill();
  derived.remember(id_of(20), needs_of(20));
  EXPECT_FALSE(database->settled(std::chrono::milliseconds(300)));
  EXPECT_FALSE(derived.for_each(kIndexes, [](const auto&, const auto&) {}));
  server_->start();
  settle(*database);
  EXPECT_EQ(all_of(derived, kIndexes).size(), 21U);
  EXPECT_EQ(told().size(), 2U);
}

TEST_P(DerivedServerTest, ADatabaseThatIsDroppedIsTakenUpAgainWhenThereIsOne) {
  const auto database = open();
  Derived derived(database, "office", kRepository);
  derived.remember(id_of(1), needs_of(1));
  settle(*database);
  server_->drop_database(name_);
  EXPECT_FALSE(derived.for_each(kIndexes, [](const auto&, const auto&) {}));
  EXPECT_TRUE(database->trouble());
  address_ = server_->url(server_->make_database());
  EXPECT_EQ(fill(3), found());
}

// A port where connections are taken and nothing is ever said.
TEST(DerivedPatienceTest, AServerThatSaysNothingIsGivenUp) {
  const base::UniqueFd silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in place{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof place;
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<sockaddr*>(&place), size), 0);
  ASSERT_EQ(::listen(silent.get(), 5), 0);
  ASSERT_EQ(::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&place), &size), 0);
  const std::string url = "postgresql://u:topsecret@127.0.0.1:" + std::to_string(ntohs(place.sin_port)) + "/d";
  const auto began = std::chrono::steady_clock::now();
  const auto connection = connect_postgresql(url, std::chrono::seconds(1));
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code(), ErrorCode::kIo);
  EXPECT_FALSE(connection.error().text().contains("topsecret")) << connection.error().text();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(DerivedPatienceTest, WhatIsNoAddressIsRefusedWithoutBeingShown) {
  for (const char* url :
       {"mysql://u:topsecret@h/d", "postgresql://u:top%zzsecret@h/d", "postgresql://h/d?topsecret=1"}) {
    const auto database = Database::open({.address = url, .seed = {}});
    ASSERT_FALSE(database) << url;
    EXPECT_EQ(database.error().code(), ErrorCode::kUsage);
    EXPECT_FALSE(database.error().text().contains("secret")) << database.error().text();
  }
}

RC_GTEST_PROP(DerivedRecordTest, NeedsComeBackAndNothingElseDoes, ()) {
  const base::Key key(base::Bytes(32, 3));
  Records records(key);
  const ObjectId snapshot = id_of(1);
  std::vector<NeededPacks> needs;
  for (const ObjectId& index : kIndexes) {
    if (*rc::gen::arbitrary<bool>()) needs.push_back({.index = index, .bits = *rc::gen::arbitrary<Bytes>()});
  }
  const IndexNames names(kIndexes);
  Bytes value = *records.encode_needs(snapshot, needs);
  RC_ASSERT(records.decode_needs(snapshot, value, names) == needs);
  RC_ASSERT(!records.decode_needs(id_of(2), value, names));
  value[*rc::gen::inRange<std::size_t>(0, value.size())] ^= *rc::gen::inRange<std::uint8_t>(1, 255);
  RC_ASSERT(!records.decode_needs(snapshot, value, names));
  value.resize(*rc::gen::inRange<std::size_t>(0, value.size()));
  RC_ASSERT(!records.decode_needs(snapshot, value, names));
  RC_ASSERT(!records.decode_needs(snapshot, *rc::gen::arbitrary<Bytes>(), names));
}

}  // namespace
}  // namespace kura::vault
