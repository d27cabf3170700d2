#include "vault/derived/schema.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace kura::vault {
namespace {

using base::Status;

constexpr std::string_view kVersion = "1";
constexpr const char* kTables[] = {"kura_meta", "kura_repositories", "kura_needs", "kura_locks"};

// BLOB to SQLite, which takes columns of any type, and what it does not know as it comes.
constexpr const char* kMakeTables[] = {
    "create table if not exists kura_meta (name bytea primary key, value bytea not null)",
    "create table if not exists kura_repositories (id bytea primary key, vault bytea not null, name bytea not null)",
    "create table if not exists kura_needs (repository bytea not null, snapshot bytea not null, needs bytea not null, "
    "primary key (repository, snapshot))",
    "create table if not exists kura_locks (repository bytea not null, kind bytea not null, id bytea not null, "
    "locked bytea not null, primary key (repository, kind, id))",
};

// Whether the value is `expected`, which it becomes when there is none.
Status expect(Connection& connection, std::string_view name, base::ByteSpan expected) {
  std::optional<base::Bytes> found;
  KURA_TRY(connection.run("select value from kura_meta where name = $1", {base::as_bytes(name)},
                          [&](Row row) { found.emplace(row[0].begin(), row[0].end()); }));
  if (!found) {
    return connection.run("insert into kura_meta (name, value) values ($1, $2) on conflict (name) do nothing",
                          {base::as_bytes(name), expected});
  }
  if (std::ranges::equal(*found, expected)) return {};
  return base::fail(base::ErrorCode::kDamaged,
                    fmt::format("the database {} has tables of another {}", connection.describe(), name));
}

}  // namespace

Status open_tables(Connection& connection, base::ByteSpan owner, bool is_own_file) {
  return connection.transaction([&]() -> Status {
    for (const char* make : kMakeTables) KURA_TRY(connection.run(make));
    KURA_TRY(expect(connection, "version", base::as_bytes(kVersion)));
    if (is_own_file) KURA_TRY(expect(connection, "vault", owner));
    return {};
  });
}

Status drop_tables(Connection& connection) {
  return connection.transaction([&]() -> Status {
    for (const char* table : kTables) KURA_TRY(connection.run(fmt::format("drop table if exists {}", table)));
    return {};
  });
}

}  // namespace kura::vault
