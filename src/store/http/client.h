// HTTP/1.1 requests by libcurl, many at once, over connections that stay open between them.
//
//   Client client({.region = "us-east-1", .access_key = key, .secret_key = secret});
//   auto response = client.send({.method = Method::kGet, .url = "https://s3.example.com/bucket/key", .limit = 4096},
//   {});
//
// Each request borrows one of libcurl's handles, which keeps its connection; names and TLS sessions are shared among
// them. So there are as many connections as requests were ever under way at once. No time-out for a whole request,
// which on a slow line takes as long as it takes: one ends when the connection cannot be made, or when almost nothing
// has moved for a while. Redirects are not followed, and every byte that a server sends is counted against a limit.
//
// Signing is libcurl's own (AWS Signature Version 4), which works in Debian 12's 7.88 under three rules that the
// callers keep: the path is encoded as S3 wants it already; the query's names are sorted, encoded, and each has its
// '='; and x-amz-content-sha256 is among the headers. No header may be there without a value ("Expect:").
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::store::http {

enum class Method : std::uint8_t { kGet, kHead, kPut, kPost, kDelete };

// Takes the next bytes of a body; false ends the request. It may wait, which slows the sender down.
using Sink = std::function<bool(base::ByteSpan)>;

struct Request {
  Method method = Method::kGet;
  std::string url = {};
  std::vector<std::string> headers = {};      // "name: value"
  std::span<const base::ByteSpan> body = {};  // of a PUT or POST: the parts one after another
  std::string range = {};                     // "0-99", or empty for all
  std::uint64_t limit = 0;                    // most bytes that a body of a 2xx answer may have
  std::chrono::seconds at_most{0};            // for the whole of it, or 0
  // Takes the body of a 2xx answer instead of Response::body; outlives the request. Null: none.
  const Sink* sink = nullptr;
  // Sees the body's bytes before they go out; by waiting it sets their pace. Null: they go as fast as they can.
  const Sink* outgoing = nullptr;
};

struct Response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  base::Bytes body;                                          // of an answer that is not 2xx, at most the first 64 KiB

  bool ok() const { return status >= 200 && status < 300; }
  // Empty when it is not there.
  std::string_view header(std::string_view lower_case_name) const;
};

// Why there is no answer.
struct Failure {
  enum class Kind : std::uint8_t {
    kNoConnection,  // nobody there, or no such host
    kBroken,        // cut off, too slow, or not HTTP: another try may do better
    kTooLarge,      // more than the limit
    kUntrusted,     // the server's certificate
    kStopped,
    kOther,  // will not get better
  };
  Kind kind = Kind::kOther;
  std::string message;  // "Connection refused", say
};

// Who a server has to be, and who this program is to it: files in PEM.
struct Identity {
  std::string authority = {};    // the only one that is trusted; empty: the system's
  std::string certificate = {};  // with its key in the same file; empty: none is shown
  bool trusts_anybody = false;   // who asks for nothing but what it can prove by itself
};

struct Options {
  std::string region = {};  // this and the keys: for requests that are signed
  std::string access_key = {};
  std::string secret_key = {};
  Identity identity = {};
  std::string local_socket = {};  // where to connect to, whatever the URL says
  std::chrono::seconds connect{15};
  std::chrono::seconds stall{60};  // with less than 100 bytes a second
  // The congestion control that sockets ask for, "bbr" say, if this machine has it; empty: what the system uses.
  std::string congestion_control = {};
};

// Shared by threads.
class Client {
 public:
  explicit Client(Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // A requested stop ends it within a second.
  std::expected<Response, Failure> send(const Request& request, const std::stop_token& stop);

 private:
  class Handles;
  const Options options_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace kura::store::http
