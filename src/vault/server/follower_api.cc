// What another vault that follows this one may ask: to read, to tell of its copies, and to put right what is damaged
// here; and who asks for copies.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "vault/holding/copies.h"
#include "vault/holding/limits.h"
#include "vault/server/answers.h"
#include "vault/server/api.h"
#include "vault/server/bodies.h"

namespace kura::vault {

namespace json = boost::json;

// Whatever a follower is, it changes nothing but what scrubbing found damaged: what is no reading stops here.
net::Task<> Api::follower(net::Exchange& exchange, const Member& member, std::string_view path) {
  const std::string& method = exchange.request().method;
  const bool reads = method == "GET" || method == "HEAD";
  if (path.empty() && method == "GET") co_return (void) co_await exchange.answer(card());
  const std::string name(next_part(path));
  const Route route = route_of(path);
  const bool tells = method == "POST" && route.action == "copies" && !route.id && !route.has_more;
  const bool repairs = method == "PUT" && route.kind && route.id && route.detail.empty() && !route.has_more;
  if (!reads && !tells && !repairs) {
    co_return (void) co_await exchange.answer(
        answer_of({base::ErrorCode::kDenied, "a vault that follows this one changes nothing here"}));
  }
  const base::Result<Holding*> holding = site_.holding(name);
  if (!holding) co_return (void) co_await exchange.answer(answer_of(holding.error()));
  if (tells) co_return co_await take_copies(exchange, **holding, member);
  if (repairs) co_return co_await repair(exchange, **holding, member, route);
  co_await repository(exchange, **holding, member, route);
}

// Who this vault is, and what it has.
net::Answer Api::card() {
  json::array names;
  for (const Holding* holding : site_.holdings()) names.emplace_back(holding->name());
  for (const auto& [name, why] : site_.closed()) names.emplace_back(name);
  return json_answer(
      {{"vault", site_.name()}, {"key", base::to_hex(site_.journal().vault())}, {"repositories", std::move(names)}});
}

net::Task<> Api::take_copies(net::Exchange& exchange, Holding& holding, const Member& member) {
  const std::optional<std::uint64_t> size = exchange.request().length;
  base::Result<std::size_t> taken =
      base::fail(base::ErrorCode::kUsage, "copies are told in one piece, of at most 1 MiB");
  if (size && *size <= kCopyClaimLimit) {
    std::vector<std::uint8_t> body(*size);
    const base::Result<std::size_t> got = co_await exchange.read(body);
    if (!got || *got != *size) co_return;
    co_await server_.elsewhere([&] {
      const base::Result<CopyClaim> claim = read_copy_claim(body);
      taken = claim ? holding.take_copies(*claim, member.machine) : base::fail(claim.error());
    });
  }
  co_await exchange.answer(taken ? json_answer({{"new", *taken}}) : answer_of(taken.error()));
}

// Nothing of it is taken before it is known to be damaged here.
net::Task<> Api::repair(net::Exchange& exchange, Holding& holding, const Member& member, const Route& route) {
  const std::optional<std::uint64_t> size = exchange.request().length;
  if (!holding.is_damaged(*route.kind, *route.id)) {
    co_return (void) co_await exchange.answer(answer_of(
        {base::ErrorCode::kDenied, "a vault that follows this one changes nothing here but what is damaged"}));
  }
  if (!size || *size > limit_of(*route.kind)) {
    co_return (void) co_await exchange.answer(answer_of(
        {base::ErrorCode::kUsage, "an object is sent with its size (Content-Length), which its kind has a limit for"}));
  }
  const OneAtATime turn(repairing_, member.machine);
  if (!turn.is_ours()) {
    co_return (void) co_await exchange.answer(
        answer_of({base::ErrorCode::kConflict, "this vault sends another object already", "send one after the other"}));
  }
  const std::optional<base::Bytes> object = co_await whole_body(exchange, *size);
  if (!object) co_return;
  base::Status repaired;
  co_await server_.elsewhere([&] { repaired = holding.repair(*route.kind, *route.id, *object, member.machine); });
  co_await exchange.answer(repaired ? json_answer(json::object()) : answer_of(repaired.error()));
}

net::Task<> Api::copies(net::Exchange& exchange, Holding& holding, const Route& route) {
  if (route.has_more || route.kind != store::Kind::kSnapshot || exchange.request().method != "GET") {
    co_return (void) co_await exchange.answer(no_such_thing());
  }
  const base::Result<std::vector<std::string>> names = holding.copies_of(*route.id);
  if (!names) co_return (void) co_await exchange.answer(answer_of(names.error()));
  co_await exchange.answer(json_answer({{"copies", json::array(names->begin(), names->end())}}));
}

}  // namespace kura::vault
