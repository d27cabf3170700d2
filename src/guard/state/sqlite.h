// SQLite as values and owners: a database in a file, statements that are prepared once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kura::guard {

// Not shared between threads. Ends with what it was bound to when it is reset or destroyed.
class Query {
 public:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}

  Query& number(std::int64_t value);
  Query& bytes(std::string_view value);
  // True: a row is there.
  base::Result<bool> next();
  // Runs it to its end, and makes it ready for other values.
  base::Status run();
  void again();

  std::int64_t number_at(int column) const;
  std::string bytes_at(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_ = 1;
};

class Sqlite {
 public:
  // Makes the file where it is missing. kDamaged when it is no database.
  static base::Result<Sqlite> open(const std::string& path);

  base::Status run(const std::string& commands);
  base::Result<Query> prepare(std::string_view command);
  std::int64_t last_id() const;

 private:
  explicit Sqlite(sqlite3* database) : database_(database) {}
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace kura::guard
