// A connection to a database, of SQLite or PostgreSQL, as little of one as derived data needs. All values are bytes:
// columns are BLOB there and BYTEA here, so nothing depends on collations, encodings or locales.
//
//   KURA_TRY(connection.run("select id, value from kura_locks where kind = $1", {{kind}}, [&](Row row) { ... }));
//
// Why no library over both (SOCI 4.0.3, libpqxx): neither has deadlines, and whoever serves backups cannot wait for a
// server that has stopped in the middle of an answer. SOCI also takes addresses apart at blanks and equals signs, so
// that URLs and paths do not come through, and leaks what failed to connect.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::vault {

// The values of a row, there until the next one comes; a NULL is empty.
using Row = std::span<const base::ByteSpan>;

// Used by one thread at a time.
class Connection {
 public:
  virtual ~Connection() = default;

  // One statement, whose parameters are $1, $2, ... in the order of their first use; `visit` is called for each row.
  // kDamaged: what lies there is no database of ours, so it is to be made anew; kNoSpace, kDenied, kIo: it cannot be
  // used now. After an error a connection is given up.
  virtual base::Status run(const std::string& statement, std::span<const base::ByteSpan> parameters,
                           const std::function<void(Row)>& visit) = 0;
  // Where it is, for messages: never with a password.
  virtual const std::string& describe() const = 0;

  // Convenience.
  base::Status run(const std::string& statement, std::initializer_list<base::ByteSpan> parameters = {},
                   const std::function<void(Row)>& visit = {}) {
    return run(statement, std::span(parameters.begin(), parameters.size()), visit);
  }
  // All or nothing.
  base::Status transaction(const std::function<base::Status()>& work);
};

// Opens the file, or makes one that only its owner reads. In the folder of a vault nobody else uses it: it stays locked
// as long as it is open.
base::Result<std::unique_ptr<Connection>> connect_sqlite(const std::string& path);
// Removes the file and what SQLite keeps beside it.
base::Status remove_sqlite(const std::string& path);

// kUsage when it is no address of a PostgreSQL database; kUnsupported when there is no libpq. Connects to nothing.
base::Status check_postgresql(const std::string& url);
// For at most `patience` nothing may come of it, then and later; kIo.
base::Result<std::unique_ptr<Connection>> connect_postgresql(const std::string& url, std::chrono::seconds patience);

}  // namespace kura::vault
