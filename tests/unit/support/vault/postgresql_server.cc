#include "support/vault/postgresql_server.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "vault/derived/connection.h"

namespace kura::vault::test {
namespace {

constexpr const char* kPrograms = "/usr/lib/postgresql/15/bin/";

// PostgreSQL does not run as root.
std::string as_postgres(const std::string& command) {
  return (::geteuid() == 0 ? "cd / && runuser -u postgres -- " : "") + (kPrograms + command);
}

void run(const std::string& command) {
  if (std::system((command + " >/dev/null 2>&1 </dev/null").c_str()) != 0) ADD_FAILURE() << command;
}

}  // namespace

std::unique_ptr<PostgresqlServer> PostgresqlServer::make() {
  if (!std::filesystem::exists(std::string(kPrograms) + "initdb")) return nullptr;
  std::string folder = (std::filesystem::temp_directory_path() / "kura-pg-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return nullptr;
  if (::geteuid() == 0) run("chown postgres: " + folder);
  run(as_postgres("initdb -D " + folder + "/data -A trust -U kura -E UTF8 --locale=C --no-sync"));
  std::unique_ptr<PostgresqlServer> server(new PostgresqlServer(folder));
  server->start();
  return server;
}

PostgresqlServer::~PostgresqlServer() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void PostgresqlServer::start() const {
  run(as_postgres("pg_ctl -w -D " + folder_ + "/data -l " + folder_ + "/log -o '-k " + folder_ +
                  " -c listen_addresses= -c fsync=off' start"));
}

// All that work in its folder. Its locks name a process that nobody may have reaped yet.
void PostgresqlServer::kill() const {
  for (bool is_over = false; !is_over;) {
    is_over = true;
    for (const auto& process : std::filesystem::directory_iterator("/proc")) {
      std::error_code none;
      if (std::filesystem::read_symlink(process.path() / "cwd", none) != folder_ + "/data") continue;
      is_over = false;
      ::kill(static_cast<pid_t>(std::stol(process.path().filename().string())), SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::filesystem::remove(folder_ + "/data/postmaster.pid");
  std::filesystem::remove(folder_ + "/.s.PGSQL.5432.lock");
}

std::string PostgresqlServer::url(const std::string& database) const {
  return "postgresql://kura@/" + database + "?host=" + folder_;
}

void PostgresqlServer::sql(const std::string& statement) const {
  const auto connection = connect_postgresql(url("postgres"), std::chrono::seconds(10));
  ASSERT_TRUE(connection) << connection.error().text();
  const auto done = (*connection)->run(statement);
  ASSERT_TRUE(done) << done.error().text();
}

std::string PostgresqlServer::make_database() {
  const std::string name = "test" + std::to_string(++databases_);
  sql("create database " + name + " strategy file_copy");
  return name;
}

void PostgresqlServer::drop_database(const std::string& name) const { sql("drop database " + name + " with (force)"); }

}  // namespace kura::vault::test
