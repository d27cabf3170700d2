// What goes before its time, and who may want that.

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/time.h"
#include "crypto/key_text.h"
#include "vault/server/admin.h"
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

Result<Request> request_in(const Holding& holding, const json::object& asked) {
  const std::optional<std::uint64_t> sequence = count_in(asked, "request");
  if (!sequence) return base::fail(malformed("number"));
  return holding.request(*sequence);
}

json::object describe(const Operator& one) {
  return {{"operator", one.name}, {"key", base::to_hex(one.key)}, {"from", base::format_rfc3339(one.from)}};
}

}  // namespace

base::Result<net::Answer> Admin::operators(const Asked& /*asked*/) {
  json::array all;
  for (const Operator& one : site_.operators().all()) all.emplace_back(vault::describe(one));
  return json_answer({{"vault_key", base::to_hex(site_.journal().vault())}, {"operators", std::move(all)}});
}

base::Result<net::Answer> Admin::add_operator(const Asked& asked) {
  const auto key = crypto::public_key_from_hex(text_in(asked, "key"));
  if (!key) return base::fail(malformed("key: it has 64 hex digits"));
  std::vector<Proof> proofs;
  for (const json::value& proof : array_in(asked, "proofs")) {
    if (proof.is_object()) proofs.push_back(proof_in(proof.as_object()));
  }
  return json_answer(
      vault::describe(KURA_TRY(site_.operators().add(text_in(asked, "operator"), *key, proofs, site_.now()))));
}

base::Result<net::Answer> Admin::remove_operator(const Asked& asked) {
  const std::string name = text_in(asked, "operator");
  KURA_TRY(site_.operators().remove(name, site_.now()));
  return json_answer({{"operator", name}});
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

base::Result<net::Answer> Admin::requests(const Asked& /*asked*/) {
  json::array all;
  for (const Holding* holding : site_.holdings()) {
    for (const Request& request : holding->requests()) all.emplace_back(describe(*holding, request));
  }
  return json_answer({{"vault_key", base::to_hex(site_.journal().vault())}, {"requests", std::move(all)}});
}

// Who asks or agrees, when he is an operator and has signed `text`.
Result<Holding::Signer> Admin::signer_of(const Asked& asked, base::ByteSpan text) {
  Proof proof = proof_in(asked);
  const crypto::PublicKey key = KURA_TRY(site_.operators().verify(proof, text, site_.now()));
  return Holding::Signer{.who = std::move(proof.who), .key = key, .signature = std::move(proof.signature)};
}

base::Result<net::Answer> Admin::request(const Asked& asked) {
  Holding& holding = *KURA_TRY(holding_of(asked));
  std::vector<store::ObjectId> snapshots = KURA_TRY(snapshots_in(asked));
  const std::string policy = text_in(asked, "policy");
  const auto signer =
      KURA_TRY(signer_of(asked, request_text(site_.journal().vault(), holding.name(), snapshots, policy)));
  const Receipt receipt = KURA_TRY(holding.request(std::move(snapshots), policy, signer));
  return json_answer(describe(holding, KURA_TRY(holding.request(receipt.sequence))));
}

base::Result<net::Answer> Admin::approve(const Asked& asked) {
  Holding& holding = *KURA_TRY(holding_of(asked));
  const Request request = KURA_TRY(request_in(holding, asked));
  const auto signer = KURA_TRY(
      signer_of(asked, approval_text(site_.journal().vault(), holding.name(), request.sequence, request.hash)));
  KURA_TRY(holding.approve(request.sequence, signer));
  return json_answer(describe(holding, KURA_TRY(holding.request(request.sequence))));
}

base::Result<net::Answer> Admin::cancel(const Asked& asked) {
  Holding& holding = *KURA_TRY(holding_of(asked));
  const Request request = KURA_TRY(request_in(holding, asked));
  KURA_TRY(holding.cancel(request.sequence, text_in(asked, "who")));
  return json_answer({{"request", request.sequence}});
}

}  // namespace kura::vault
