// An HTTP/1.1 server for programs, over TLS 1.3 or a local socket, by Boost.Beast and OpenSSL. Each connection is a
// coroutine; the handler reads a body and writes an answer piece by piece, so no body is ever in memory as a whole.
//
//   class Api : public net::Handler {
//     net::Task<> handle(net::Exchange& exchange) override {
//       co_await exchange.answer({.status = 200, .body = "{}"});
//     }
//   };
//   auto server = net::Server::create({});
//   KURA_TRY(server->listen({.address = "127.0.0.1", .port = 7443, ...}, api));
//   server->run(stop);                                   // until stopped
//
// What others can do to it is bounded: bytes of a header, time for a handshake, for a header and between two pieces of
// a body, the slowest pace of a body, connections in all, of one address, and of those that show no certificate.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "pki/certificate.h"
#include "pki/private_key.h"

namespace kura::net {

template <typename T = void>
using Task = boost::asio::awaitable<T>;

using Header = std::pair<std::string, std::string>;

struct Peer {
  std::string address;                          // numeric, without the port; empty: this machine
  std::optional<pki::Certificate> certificate;  // verified: signed by the authority, and valid now
};

struct Request {
  std::string method;                   // "GET"
  std::string path;                     // as it was sent, up to '?': nothing in it is decoded
  std::string query;                    // after it
  std::vector<Header> headers;          // names in lower case
  std::optional<std::uint64_t> length;  // of the body, bytes; nothing: it has none, or does not say
  Peer peer;

  std::string_view header(std::string_view lower_case_name) const;  // empty when it is not there
  // The value of a query parameter, as it was sent.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

struct Answer {
  unsigned status = 200;
  std::string type = "application/json";
  std::vector<Header> headers = {};
  std::string body = {};
};

// One request and its answer. Used by one coroutine, for as long as handle() runs. An error of any of these means that
// the other side is gone or too slow: the handler just returns.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;
  // The next bytes of the body: as many as fit, fewer only at its end, 0 after it.
  virtual Task<base::Result<std::size_t>> read(base::MutableByteSpan out) = 0;
  virtual Task<base::Status> answer(Answer answer) = 0;
  // An answer of `length` bytes, of which write() sends some; `answer.body` is not looked at.
  virtual Task<base::Status> begin_answer(Answer answer, std::uint64_t length) = 0;
  virtual Task<base::Status> write(base::ByteSpan bytes) = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Called on one of the server's few threads, which must not wait for anything: what may take long is done with
  // Server::elsewhere(). The connection ends when it returns without an answer.
  virtual Task<> handle(Exchange& exchange) = 0;
  // After it, on the same thread: with the status that was answered, 0 when there was no answer.
  virtual void answered(const Request& /*request*/, unsigned /*status*/) {}
};

// Where it listens for TLS, and how it knows who comes.
struct TlsOptions {
  std::string address = "0.0.0.0";  // numeric
  std::uint16_t port = 0;           // 0: any that is free
  std::string certificate_chain;    // PEM
  pki::PrivateKey key;
  pki::Certificate clients;  // the authority of their certificates; a client may also have none
  std::function<std::int64_t()> clock = base::now_ns;  // ns since 1970: by which certificates are valid or not
};

struct Limits {
  unsigned threads = 0;  // 0: as many as there are processors
  std::size_t connections = 1024;
  std::size_t of_an_address = 128;
  std::size_t without_certificate = 32;
  std::chrono::seconds handshake{10}, header{30}, pause{60}, idle{120};
  std::uint64_t slowest = 256;  // bytes a second of a body, over all of it, after the first minute
};

// Shared by threads, but for listen(), which comes before run().
class Server {
 public:
  static std::unique_ptr<Server> create(const Limits& limits);
  virtual ~Server() = default;

  // Binds and listens; `handler` outlives it. Returns the port. kUsage for an address that is none, kConflict when it
  // is taken, kDenied.
  virtual base::Result<std::uint16_t> listen(const TlsOptions& options, Handler& handler) = 0;
  // The same at a socket in the file system, which takes the place of what an earlier run left there. Only this user
  // may connect; its peers have no address.
  virtual base::Status listen_locally(const std::string& path, Handler& handler) = 0;

  // Serves until `stop`, then lets requests that are under way finish for up to `grace`.
  virtual void run(const std::stop_token& stop, std::chrono::seconds grace = std::chrono::seconds(10)) = 0;
  // Cuts the connections, idle or not, of the peers that `which` says. What is asked of it is asked under a lock.
  virtual std::size_t cut(const std::function<bool(const Peer&)>& which) = 0;
  // Of the connections that there are, some perhaps of one peer.
  virtual std::vector<Peer> peers() const = 0;
  // Does `work` on a thread that may wait, and comes back to the caller's.
  virtual Task<> elsewhere(std::function<void()> work) = 0;
};

}  // namespace kura::net
