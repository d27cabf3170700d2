// What is kept of an actor between starts, as JSON.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/bytes.h"
#include "base/number.h"
#include "base/time.h"
#include "guard/cases.h"

namespace kura::guard {
namespace {

namespace json = boost::json;

std::int64_t number_of(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string bytes_of(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  const auto bytes = base::from_hex(std::string_view(value->get_string()));
  return bytes ? std::string(base::as_text(*bytes)) : std::string();
}

}  // namespace

std::string facts_of(const ActorState& state) {
  json::array proofs;
  for (const Proof& proof : state.trial.proofs()) {
    proofs.push_back({{"sign", static_cast<int>(proof.sign)},
                      {"path", base::to_hex(base::as_bytes(proof.path))},
                      {"time", proof.time},
                      {"reason", base::to_hex(base::as_bytes(proof.reason))}});
  }
  return json::serialize(json::object{{"valid", static_cast<std::int64_t>(state.valid_changes)},
                                      {"first_seen", state.first_seen},
                                      {"incident", state.incident},
                                      {"proofs", std::move(proofs)}});
}

void take_facts(std::string_view text, ActorState& state) {
  boost::system::error_code malformed;
  const json::value value = json::parse(text, malformed);
  if (malformed || !value.is_object()) return;
  const json::object& object = value.get_object();
  state.valid_changes = static_cast<std::uint64_t>(number_of(object, "valid"));
  state.first_seen = number_of(object, "first_seen");
  if (const json::value* const incident = object.if_contains("incident");
      incident != nullptr && incident->is_string()) {
    state.incident = std::string(incident->get_string());
  }
  const json::value* const proofs = object.if_contains("proofs");
  if (proofs == nullptr || !proofs->is_array()) return;
  for (const json::value& entry : proofs->get_array()) {
    if (!entry.is_object()) continue;
    const auto sign = number_of(entry.get_object(), "sign");
    if (sign < 0 || !is_proof(static_cast<Sign>(sign))) continue;
    state.trial.add(static_cast<Sign>(sign), bytes_of(entry.get_object(), "path"),
                    number_of(entry.get_object(), "time"), bytes_of(entry.get_object(), "reason"));
  }
}

// The other way round of ActorName::key(); an address may hold colons itself, so the name is read from its end.
ActorName name_of_key(std::string_view key) {
  ActorName name;
  if (key.starts_with("smb:")) {
    const std::size_t last = key.rfind(':');
    const std::size_t middle = key.rfind(':', last - 1);
    name.kind = ActorKind::kSamba;
    if (middle < 4) return name;
    name.address = key.substr(4, middle - 4);
    name.account = key.substr(middle + 1, last - middle - 1);
    name.share = key.substr(last + 1);
  } else if (key.starts_with("local:")) {
    const std::size_t first = key.find(':', 6);
    const std::size_t last = key.rfind(':');
    if (first == std::string_view::npos || last <= first) return name;
    name.user = base::parse_number<uid_t>(key.substr(6, first - 6)).value_or(0);
    name.program = key.substr(first + 1, last - first - 1);
    name.unit = key.substr(last + 1);
  } else {
    name.kind = ActorKind::kUnseen;
  }
  return name;
}

bool is_usual(const ActorState& state, const UsualAfter& after, std::int64_t now) {
  return state.valid_changes >= after.valid_changes && now - state.first_seen >= after.days * 86'400 * base::kSecond &&
         state.trial.proofs().empty();
}

}  // namespace kura::guard
