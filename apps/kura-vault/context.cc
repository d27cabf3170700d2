#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/socket_path.h"
#include "command.h"
#include "store/http/client.h"
#include "store/http/curl.h"
#include "store/vault/answers.h"

namespace kura::app {

namespace {

namespace http = store::http;
namespace json = boost::json;

base::Result<json::value> send(const Context& context, http::Request request) {
  KURA_TRY(http::load_curl());
  request.url = "http://vault" + request.url;
  request.limit = 64ULL << 20;
  const base::SocketPath socket(context.socket());
  http::Client client({.local_socket = socket.text()});
  const auto response = client.send(request, context.stop);
  if (!response) {
    return base::fail(
        base::ErrorCode::kNotFound,
        fmt::format("no vault runs at {}: {}", context.options.root, response.error().message),
        fmt::format("start it (`kura-vault --root {} serve`), or name another with --root", context.options.root));
  }
  if (!response->ok()) return base::fail(store::vault::error_of(*response));
  boost::system::error_code malformed;
  json::value value = json::parse(base::as_text(response->body), malformed);
  if (malformed) return base::fail(base::ErrorCode::kIo, "the vault's answer is no JSON");
  return value;
}

}  // namespace

json::object summary_of(const json::value& answer) {
  json::object summary{{"type", "summary"}};
  summary.insert(answer.as_object().begin(), answer.as_object().end());
  return summary;
}

base::Result<json::value> Context::ask(const std::string& path) const { return send(*this, {.url = path}); }

base::Result<json::value> Context::tell(const std::string& path, const json::object& body) const {
  const std::string text = json::serialize(body);
  const base::ByteSpan parts[] = {base::as_bytes(text)};
  return send(*this, {.method = http::Method::kPost, .url = path, .body = parts});
}

}  // namespace kura::app
