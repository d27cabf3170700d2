#include "vault/server/bodies.h"

#include <algorithm>
#include <vector>

#include <boost/json/serialize.hpp>

namespace kura::vault {

namespace json = boost::json;
namespace {

constexpr std::size_t kFirstPiece = 1U << 20;  // bytes of memory for a body of which nothing has come

}  // namespace

net::Task<base::Result<std::string>> small_body(net::Exchange& exchange) {
  std::vector<std::uint8_t> body(kSmallBody + 1);
  const base::Result<std::size_t> got = co_await exchange.read(body);
  if (!got) co_return base::fail(got.error());
  if (*got > kSmallBody) co_return base::fail(base::ErrorCode::kUsage, "the request is too large");
  co_return std::string(reinterpret_cast<const char*>(body.data()), *got);
}

net::Task<std::optional<base::Bytes>> whole_body(net::Exchange& exchange, std::uint64_t size) {
  base::Bytes body;
  while (body.size() < size) {
    const std::size_t done = body.size();
    body.resize(std::min<std::uint64_t>(size, done + std::max(done, kFirstPiece)));
    const base::Result<std::size_t> got = co_await exchange.read(base::MutableByteSpan(body).subspan(done));
    if (!got || done + *got != body.size()) co_return std::nullopt;
  }
  co_return body;
}

net::Answer json_answer(const json::value& value) { return {.status = 200, .body = json::serialize(value)}; }

bool flag_in(const json::object& object, const char* name) {
  const json::value* const field = object.if_contains(name);
  return field != nullptr && field->is_bool() && field->get_bool();
}

std::optional<std::uint64_t> count_in(const json::object& object, const char* name) {
  const json::value* const field = object.if_contains(name);
  if (field == nullptr) return std::nullopt;
  boost::system::error_code none;
  const auto number = field->to_number<std::uint64_t>(none);
  return none ? std::nullopt : std::optional(number);
}

}  // namespace kura::vault
