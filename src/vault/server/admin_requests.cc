// What goes before its time, and who may want that.
#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/time.h"
#include "vault/server/admin.h"
#include "vault/server/answers.h"
#include "vault/server/bodies.h"

namespace kura::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;
using base::Result;

base::Error malformed(const char* what) {
  return {ErrorCode::kUsage, std::string("the request has no proper ") + what};
}

Proof proof_in(const json::object& asked) {
  return {.who = text_in(asked, "who"),
          .signature = base::from_hex(text_in(asked, "signature")).value_or(base::Bytes())};
}

const json::array& array_in(const json::object& asked, const char* name) {
  static const json::array kNone;
  const json::value* value = asked.if_contains(name);
  return value != nullptr && value->is_array() ? value->as_array() : kNone;
}

Result<std::vector<store::ObjectId>> snapshots_in(const json::object& asked) {
  std::vector<store::ObjectId> ids;
  for (const json::value& value : array_in(asked, "snapshots")) {
    const auto id = value.is_string() ? store::ObjectId::from_hex(value.as_string()) : std::nullopt;
    if (!id) return base::fail(malformed("list of snapshots"));
    ids.push_back(*id);
  }
  return ids;
}

Result<std::uint64_t> number_in(const json::object& asked, const char* name) {
  const json::value* value = asked.if_contains(name);
  boost::system::error_code none;
  const auto number = value == nullptr ? 0 : value->to_number<std::uint64_t>(none);
  if (value == nullptr || none) return base::fail(malformed("number"));
  return number;
}

json::object describe(const Operator& one) {
  return {{"operator", one.name}, {"key", base::to_hex(one.key)}, {"from", base::format_rfc3339(one.from)}};
}

}  // namespace

net::Answer Admin::operators(const Asked& /*asked*/) {
  json::array all;
  for (const Operator& one : site_.operators().all()) all.emplace_back(vault::describe(one));
  return json_answer({{"vault_key", base::to_hex(site_.journal().vault())}, {"operators", std::move(all)}});
}

net::Answer Admin::add_operator(const Asked& asked) {
  const auto hex = base::from_hex(text_in(asked, "key"));
  crypto::PublicKey key{};
  if (!hex || hex->size() != key.size()) return answer_of(malformed("key: it has 64 hex digits"));
  std::ranges::copy(*hex, key.begin());
  std::vector<Proof> proofs;
  for (const json::value& proof : array_in(asked, "proofs")) {
    if (proof.is_object()) proofs.push_back(proof_in(proof.as_object()));
  }
  const Result<Operator> added = site_.operators().add(text_in(asked, "operator"), key, proofs, site_.now());
  return added ? json_answer(vault::describe(*added)) : answer_of(added.error());
}

net::Answer Admin::remove_operator(const Asked& asked) {
  const std::string name = text_in(asked, "operator");
  const base::Status removed = site_.operators().remove(name, site_.now());
  return removed ? json_answer({{"operator", name}}) : answer_of(removed.error());
}

json::object Admin::describe(const Holding& holding, const Request& request) const {
  json::array snapshots;
  for (const store::ObjectId& id : request.snapshots) snapshots.emplace_back(id.hex());
  json::object described{{"repository", holding.name()},
                         {"request", request.sequence},
                         {"hash", request.hash.hex()},
                         {"time", base::format_rfc3339(request.time)},
                         {"who", request.who},
                         {"snapshots", std::move(snapshots)},
                         {"policy", nullptr},
                         {"approved_by", nullptr},
                         {"due", nullptr}};
  if (!request.policy.empty()) described["policy"] = request.policy;
  if (const auto due = request.due(deletion_delay_)) {
    described["approved_by"] = request.approved_by;
    described["due"] = base::format_rfc3339(*due);
  }
  return described;
}

net::Answer Admin::requests(const Asked& /*asked*/) {
  json::array all;
  for (const Holding* holding : site_.holdings()) {
    for (const Request& request : holding->requests()) all.emplace_back(describe(*holding, request));
  }
  return json_answer({{"vault_key", base::to_hex(site_.journal().vault())}, {"requests", std::move(all)}});
}

net::Answer Admin::request(const Asked& asked) {
  const Result<Holding*> holding = holding_of(asked);
  if (!holding) return answer_of(holding.error());
  Result<std::vector<store::ObjectId>> snapshots = snapshots_in(asked);
  if (!snapshots) return answer_of(snapshots.error());
  const std::string policy = text_in(asked, "policy");
  const Proof proof = proof_in(asked);
  const base::Bytes text = request_text(site_.journal().vault(), (*holding)->name(), *snapshots, policy);
  const auto key = site_.operators().verify(proof, text, site_.now());
  if (!key) return answer_of(key.error());
  const Result<Receipt> receipt =
      (*holding)->request(*std::move(snapshots), policy, {proof.who, *key, proof.signature});
  if (!receipt) return answer_of(receipt.error());
  const Result<Request> request = (*holding)->request(receipt->sequence);
  return request ? json_answer(describe(**holding, *request)) : answer_of(request.error());
}

net::Answer Admin::approve(const Asked& asked) {
  const Result<Holding*> holding = holding_of(asked);
  if (!holding) return answer_of(holding.error());
  const Result<std::uint64_t> sequence = number_in(asked, "request");
  if (!sequence) return answer_of(sequence.error());
  const Result<Request> request = (*holding)->request(*sequence);
  if (!request) return answer_of(request.error());
  const Proof proof = proof_in(asked);
  const base::Bytes text = approval_text(site_.journal().vault(), (*holding)->name(), *sequence, request->hash);
  const auto key = site_.operators().verify(proof, text, site_.now());
  if (!key) return answer_of(key.error());
  const base::Status approved = (*holding)->approve(*sequence, {proof.who, *key, proof.signature});
  if (!approved) return answer_of(approved.error());
  const Result<Request> now = (*holding)->request(*sequence);
  return now ? json_answer(describe(**holding, *now)) : answer_of(now.error());
}

net::Answer Admin::cancel(const Asked& asked) {
  const Result<Holding*> holding = holding_of(asked);
  if (!holding) return answer_of(holding.error());
  const Result<std::uint64_t> sequence = number_in(asked, "request");
  if (!sequence) return answer_of(sequence.error());
  const base::Status cancelled = (*holding)->cancel(*sequence, text_in(asked, "who"));
  return cancelled ? json_answer({{"request", *sequence}}) : answer_of(cancelled.error());
}

}  // namespace kura::vault
