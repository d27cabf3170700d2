#include "guard/state/sqlite.h"

#include <sqlite3.h>

#include <fmt/format.h>

namespace kura::guard {
namespace {

base::Error sqlite_error(sqlite3* database, int code, std::string_view what) {
  const auto kind = code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? base::ErrorCode::kDamaged
                    : code == SQLITE_FULL                           ? base::ErrorCode::kNoSpace
                                                                    : base::ErrorCode::kIo;
  return {kind, fmt::format("{}: {}", what, database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code))};
}

}  // namespace

void Query::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Sqlite::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Query& Query::number(std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), next_++, value);
  return *this;
}

Query& Query::bytes(std::string_view value) {
  // An empty blob with a null pointer would be NULL.
  sqlite3_bind_blob64(statement_.get(), next_++, value.empty() ? "" : value.data(), value.size(), SQLITE_TRANSIENT);
  return *this;
}

base::Result<bool> Query::next() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return base::fail(sqlite_error(sqlite3_db_handle(statement_.get()), code, "the guard's memory"));
}

base::Status Query::run() {
  auto more = next();
  while (more && *more) more = next();
  again();
  if (!more) return base::fail(more.error());
  return {};
}

void Query::again() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  next_ = 1;
}

std::int64_t Query::number_at(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Query::bytes_at(int column) const {
  const auto* const data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data == nullptr ? std::string() : std::string(data, size);
}

base::Result<Sqlite> Sqlite::open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Sqlite database(raw);
  if (code != SQLITE_OK) return base::fail(sqlite_error(raw, code, "cannot open " + path));
  sqlite3_busy_timeout(raw, 5000);
  return database;
}

base::Status Sqlite::run(const std::string& commands) {
  const int code = sqlite3_exec(database_.get(), commands.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return base::fail(sqlite_error(database_.get(), code, "the guard's memory"));
  return {};
}

base::Result<Query> Sqlite::prepare(std::string_view command) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), command.data(), static_cast<int>(command.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return base::fail(sqlite_error(database_.get(), code, "the guard's memory"));
  return Query(statement);
}

std::int64_t Sqlite::last_id() const { return sqlite3_last_insert_rowid(database_.get()); }

}  // namespace kura::guard
