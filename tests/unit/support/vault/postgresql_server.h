// A PostgreSQL of the tests' own, below a folder that goes with it, reached by a socket there.
#pragma once

#include <memory>
#include <string>

namespace kura::vault::test {

class PostgresqlServer {
 public:
  // Nothing where Debian's postgresql-15 is not installed.
  static std::unique_ptr<PostgresqlServer> make();
  ~PostgresqlServer();
  PostgresqlServer(const PostgresqlServer&) = delete;
  PostgresqlServer& operator=(const PostgresqlServer&) = delete;

  void start() const;
  void kill() const;  // as a power loss would: kill -9 of all its processes
  std::string url(const std::string& database) const;
  std::string make_database();  // an empty one; its name
  void drop_database(const std::string& name) const;

 private:
  explicit PostgresqlServer(std::string folder) : folder_(std::move(folder)) {}
  void sql(const std::string& statement) const;

  const std::string folder_;
  int databases_ = 0;
};

}  // namespace kura::vault::test
