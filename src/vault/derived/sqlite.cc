// SQLite, by its C interface (https://www.sqlite.org/c3ref/intro.html).
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/unique_fd.h"
#include "vault/derived/connection.h"

namespace kura::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr int kBusyMs = 2000;            // that somebody else may have it locked
constexpr int kLongestValue = 64 << 20;  // bytes of a row; no memory is taken for more, whatever a file says

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct EndStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

// What a new file puts right, against what a person has to.
ErrorCode code_of(int extended) {
  if (extended == SQLITE_IOERR_READ || extended == SQLITE_IOERR_SHORT_READ) return ErrorCode::kDamaged;
  switch (extended & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // tables that are not ours
    case SQLITE_CONSTRAINT:
    case SQLITE_FORMAT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return ErrorCode::kDamaged;
    case SQLITE_FULL:
      return ErrorCode::kNoSpace;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorCode::kDenied;
    default:
      return ErrorCode::kIo;
  }
}

class Sqlite final : public Connection {
 public:
  Sqlite(std::unique_ptr<sqlite3, CloseDatabase> database, std::string path)
      : database_(std::move(database)), path_(std::move(path)) {}

  using Connection::run;
  Status run(const std::string& statement, std::span<const base::ByteSpan> parameters,
             const std::function<void(Row)>& visit) override;
  const std::string& describe() const override { return path_; }

  // One process alone, so the index of the log is in its memory and not in a mapped file that somebody could cut short
  // (which would end the program). Synced at checkpoints alone: what a power loss takes is derived anew. Nothing that a
  // file brings along is run.
  Status set_up();

 private:
  Status bind(sqlite3_stmt* statement, std::span<const base::ByteSpan> parameters);
  std::unexpected<Error> failure(int code) const;

  const std::unique_ptr<sqlite3, CloseDatabase> database_;
  const std::string path_;
};

std::unexpected<Error> Sqlite::failure(int code) const {
  return base::fail(
      code_of(sqlite3_extended_errcode(database_.get())),
      fmt::format("cannot use the database {}: {} ({})", path_, sqlite3_errmsg(database_.get()), sqlite3_errstr(code)));
}

Status Sqlite::set_up() {
  sqlite3_limit(database_.get(), SQLITE_LIMIT_LENGTH, kLongestValue);
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_busy_timeout(database_.get(), kBusyMs);
  for (const char* pragma : {"trusted_schema = off", "cell_size_check = on", "locking_mode = exclusive",
                             "journal_mode = wal", "synchronous = normal", "cache_size = -4096"}) {
    KURA_TRY(run(std::string("pragma ") + pragma));
  }
  return {};
}

Status Sqlite::bind(sqlite3_stmt* statement, std::span<const base::ByteSpan> parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const int at = static_cast<int>(i) + 1;
    const base::ByteSpan value = parameters[i];
    // Without a pointer it would be NULL.
    const int code = value.empty() ? sqlite3_bind_zeroblob(statement, at, 0)
                                   : sqlite3_bind_blob64(statement, at, value.data(), value.size(), nullptr);
    if (code != SQLITE_OK) return failure(code);
  }
  return {};
}

Status Sqlite::run(const std::string& statement, std::span<const base::ByteSpan> parameters,
                   const std::function<void(Row)>& visit) {
  sqlite3_stmt* prepared = nullptr;
  int code = sqlite3_prepare_v2(database_.get(), statement.c_str(), static_cast<int>(statement.size()) + 1, &prepared,
                                nullptr);
  const std::unique_ptr<sqlite3_stmt, EndStatement> owned(prepared);
  if (code != SQLITE_OK) return failure(code);
  KURA_TRY(bind(prepared, parameters));
  std::vector<base::ByteSpan> row;
  while ((code = sqlite3_step(prepared)) == SQLITE_ROW) {
    row.clear();
    for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
      const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(prepared, i));
      row.emplace_back(bytes, static_cast<std::size_t>(sqlite3_column_bytes(prepared, i)));
    }
    if (visit) visit(row);
  }
  return code == SQLITE_DONE ? Status{} : failure(code);
}

}  // namespace

Result<std::unique_ptr<Connection>> connect_sqlite(const std::string& path) {
  // SQLite would make it readable by all; the files beside it are as this one is.
  if (!base::UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600))) {
    return base::fail(Error::from_errno("cannot open the database " + path, errno));
  }
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, nullptr);
  std::unique_ptr<sqlite3, CloseDatabase> database(opened);
  if (code != SQLITE_OK) {
    return base::fail(code_of(code), fmt::format("cannot open the database {}: {}", path, sqlite3_errstr(code)));
  }
  sqlite3_extended_result_codes(opened, 1);
  auto connection = std::make_unique<Sqlite>(std::move(database), path);
  KURA_TRY(connection->set_up());
  return connection;
}

Status remove_sqlite(const std::string& path) {
  for (const char* end : {"", "-wal", "-shm", "-journal"}) {
    if (::unlink((path + end).c_str()) != 0 && errno != ENOENT) {
      return base::fail(Error::from_errno("cannot remove the damaged database " + path + end, errno));
    }
  }
  return {};
}

}  // namespace kura::vault
