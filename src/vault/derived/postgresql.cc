// PostgreSQL, by libpq without ever blocking in it (https://www.postgresql.org/docs/15/libpq-async.html).
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/escape.h"
#include "vault/derived/connection.h"
#include "vault/derived/libpq.h"

namespace kura::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using Steady = std::chrono::steady_clock;

constexpr Oid kBytea = 17;  // pg_type.dat
constexpr const char* kProgram = "kura-vault";
constexpr std::size_t kMostOfMessage = 500;  // bytes of what a server says that are shown

// Of an address, without what is secret in it. kUsage.
Result<std::map<std::string, std::string>> parts_of(const Libpq& libpq, const std::string& url) {
  // Why libpq does not like it is not shown: it quotes the address, and a password may stand there.
  char* problem = nullptr;
  PQconninfoOption* const options = url.starts_with("postgresql://") || url.starts_with("postgres://")
                                        ? libpq.conninfo_parse(url.c_str(), &problem)
                                        : nullptr;
  if (problem != nullptr) libpq.freemem(problem);
  if (options == nullptr) {
    return base::fail(ErrorCode::kUsage, "this is no address of a PostgreSQL database",
                      "write postgresql://USER@HOST:PORT/DATABASE, with %XX for characters that are not usual in URLs");
  }
  std::map<std::string, std::string> parts;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    const std::string_view shown = option->dispchar;
    if (option->val != nullptr && shown.find('*') == std::string_view::npos) parts[option->keyword] = option->val;
  }
  libpq.conninfo_free(options);
  return parts;
}

// Of an SQLSTATE (https://www.postgresql.org/docs/15/errcodes-appendix.html).
ErrorCode code_of(std::string_view state) {
  if (state == "42501") return ErrorCode::kDenied;          // insufficient_privilege
  if (state.starts_with("42")) return ErrorCode::kDamaged;  // tables that are not as we make them
  if (state.starts_with("53")) return ErrorCode::kNoSpace;  // a disk or another thing has run out
  return ErrorCode::kIo;
}

std::string describe_parts(const std::map<std::string, std::string>& parts) {
  const auto part = [&](const char* name) {
    const auto at = parts.find(name);
    return at == parts.end() ? std::string() : base::printable(at->second);
  };
  return fmt::format("postgresql://{}:{}/{}", part("host"), part("port"), part("dbname"));
}

struct Finish {
  const Libpq* libpq;
  void operator()(PGconn* connection) const { libpq->finish(connection); }
};
struct Clear {
  const Libpq* libpq;
  void operator()(PGresult* result) const { libpq->clear(result); }
};
using Answer = std::unique_ptr<PGresult, Clear>;

class Postgresql final : public Connection {
 public:
  Postgresql(const Libpq& libpq, const std::string& url, std::string where, std::chrono::seconds patience);

  Status connect();
  using Connection::run;
  Status run(const std::string& statement, std::span<const base::ByteSpan> parameters,
             const std::function<void(Row)>& visit) override;
  const std::string& describe() const override { return where_; }

 private:
  // Until the socket is ready for `events`, or nothing has come of it for too long.
  Status wait(short events) const;
  Status send(const std::string& statement, std::span<const base::ByteSpan> parameters);
  Result<Answer> next_answer();
  Status take(const PGresult* answer, const std::function<void(Row)>& visit);
  std::unexpected<Error> failure(std::string_view why, ErrorCode code = ErrorCode::kIo) const;

  const Libpq& libpq_;
  const std::string where_;
  const std::chrono::seconds patience_;
  std::unique_ptr<PGconn, Finish> connection_;
};

// What stands later counts, so what the address says counts for more than our own name.
Postgresql::Postgresql(const Libpq& libpq, const std::string& url, std::string where, std::chrono::seconds patience)
    : libpq_(libpq), where_(std::move(where)), patience_(patience), connection_(nullptr, Finish{&libpq}) {
  const char* const names[] = {"application_name", "dbname", nullptr};
  const char* const values[] = {kProgram, url.c_str(), nullptr};
  connection_.reset(libpq.connect_start_params(names, values, /*expand_dbname=*/1));
}

std::unexpected<Error> Postgresql::failure(std::string_view why, ErrorCode code) const {
  while (!why.empty() && (why.back() == '\n' || why.back() == ' ')) why.remove_suffix(1);
  return base::fail(
      code, fmt::format("cannot use the database {}: {}", where_, base::printable(why.substr(0, kMostOfMessage))));
}

Status Postgresql::wait(short events) const {
  const Steady::time_point end = Steady::now() + patience_;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Steady::now());
    pollfd waiting{.fd = libpq_.socket(connection_.get()), .events = events, .revents = 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return {};
    if (ready == 0) return failure(fmt::format("nothing came for {} s", patience_.count()));
    if (errno != EINTR) return base::fail(Error::from_errno("cannot wait for " + where_, errno));
  }
}

Status Postgresql::connect() {
  if (connection_ == nullptr) throw std::bad_alloc();
  for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
    if (libpq_.status(connection_.get()) == CONNECTION_BAD || state == PGRES_POLLING_FAILED) {
      return failure(libpq_.error_message(connection_.get()));
    }
    KURA_TRY(wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT));
    state = libpq_.connect_poll(connection_.get());
  }
  libpq_.set_notice_processor(connection_.get(), [](void*, const char*) {}, nullptr);  // else they go to standard error
  if (libpq_.setnonblocking(connection_.get(), 1) != 0) return failure(libpq_.error_message(connection_.get()));
  return {};
}

Status Postgresql::send(const std::string& statement, std::span<const base::ByteSpan> parameters) {
  std::vector<Oid> types(parameters.size(), kBytea);
  std::vector<const char*> values;
  std::vector<int> lengths, formats(parameters.size(), 1);
  for (const base::ByteSpan parameter : parameters) {
    values.push_back(parameter.empty() ? "" : reinterpret_cast<const char*>(parameter.data()));
    lengths.push_back(static_cast<int>(parameter.size()));
  }
  if (libpq_.send_query_params(connection_.get(), statement.c_str(), static_cast<int>(parameters.size()), types.data(),
                               values.data(), lengths.data(), formats.data(), /*resultFormat=*/1) != 1) {
    return failure(libpq_.error_message(connection_.get()));
  }
  libpq_.set_single_row_mode(connection_.get());
  while (const int left = libpq_.flush(connection_.get())) {
    if (left < 0) return failure(libpq_.error_message(connection_.get()));
    KURA_TRY(wait(POLLIN | POLLOUT));
    if (libpq_.consume_input(connection_.get()) != 1) return failure(libpq_.error_message(connection_.get()));
  }
  return {};
}

// Empty after the last one.
Result<Answer> Postgresql::next_answer() {
  while (libpq_.is_busy(connection_.get()) != 0) {
    KURA_TRY(wait(POLLIN));
    if (libpq_.consume_input(connection_.get()) != 1) return failure(libpq_.error_message(connection_.get()));
  }
  return Answer(libpq_.get_result(connection_.get()), Clear{&libpq_});
}

Status Postgresql::take(const PGresult* answer, const std::function<void(Row)>& visit) {
  const ExecStatusType status = libpq_.result_status(answer);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
  if (status != PGRES_SINGLE_TUPLE) {
    const char* state = libpq_.result_error_field(answer, PG_DIAG_SQLSTATE);
    return failure(libpq_.result_error_message(answer), code_of(state == nullptr ? "" : state));
  }
  std::vector<base::ByteSpan> row;
  for (int i = 0; i < libpq_.nfields(answer); ++i) {
    row.emplace_back(reinterpret_cast<const std::uint8_t*>(libpq_.getvalue(answer, 0, i)),
                     static_cast<std::size_t>(libpq_.getlength(answer, 0, i)));
  }
  if (visit) visit(row);
  return {};
}

Status Postgresql::run(const std::string& statement, std::span<const base::ByteSpan> parameters,
                       const std::function<void(Row)>& visit) {
  KURA_TRY(send(statement, parameters));
  Status done;
  while (const Answer answer = KURA_TRY(next_answer())) {
    if (Status taken = take(answer.get(), visit); !taken && done) done = std::move(taken);
  }
  return done;
}

}  // namespace

Status check_postgresql(const std::string& url) {
  KURA_TRY(parts_of(*KURA_TRY(load_libpq()), url));
  return {};
}

Result<std::unique_ptr<Connection>> connect_postgresql(const std::string& url, std::chrono::seconds patience) {
  const Libpq& libpq = *KURA_TRY(load_libpq());
  auto connection = std::make_unique<Postgresql>(libpq, url, describe_parts(KURA_TRY(parts_of(libpq, url))), patience);
  KURA_TRY(connection->connect());
  return connection;
}

}  // namespace kura::vault
