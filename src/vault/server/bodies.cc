#include "vault/server/bodies.h"

#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace kura::vault {

namespace json = boost::json;

net::Task<base::Result<std::string>> small_body(net::Exchange& exchange) {
  std::vector<std::uint8_t> body(kSmallBody + 1);
  const base::Result<std::size_t> got = co_await exchange.read(body);
  if (!got) co_return base::fail(got.error());
  if (*got > kSmallBody) co_return base::fail(base::ErrorCode::kUsage, "the request is too large");
  co_return std::string(reinterpret_cast<const char*>(body.data()), *got);
}

json::object parse_object(std::string_view body) {
  boost::system::error_code malformed;
  json::value value = json::parse(body, malformed);
  json::object* const object = malformed ? nullptr : value.if_object();
  return object == nullptr ? json::object() : std::move(*object);
}

std::string text_in(const json::object& object, const char* name) {
  const json::value* const field = object.if_contains(name);
  const json::string* const text = field != nullptr ? field->if_string() : nullptr;
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

net::Answer json_answer(const json::value& value) { return {.status = 200, .body = json::serialize(value)}; }

}  // namespace kura::vault
