#include "vault/registry/operators.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/codec.h"
#include "base/escape.h"
#include "base/time.h"
#include "vault/registry/registry.h"

namespace kura::vault {

using base::ErrorCode;
using base::Status;

base::Bytes operator_text(const crypto::PublicKey& vault, std::string_view name, const crypto::PublicKey& key) {
  return base::Encoder().string("kura operator v1").raw(vault).string(name).raw(key).take();
}

base::Result<std::unique_ptr<Operators>> Operators::open(Journal& journal) {
  std::unique_ptr<Operators> operators(new Operators(journal));
  const base::MutexLock lock(operators->mutex_);
  KURA_TRY(journal.for_each([&](const Entry& entry, base::ByteSpan)
                                KURA_REQUIRES(operators->mutex_) { operators->take(entry); }));
  return operators;
}

// One with a key lets somebody in, one without takes him out.
void Operators::take(const Entry& entry) {
  const Event& event = entry.event;
  if (event.type != EventType::kOperator) return;
  if (event.key == crypto::PublicKey{}) {
    operators_.erase(event.who);
    return;
  }
  operators_[event.who] = {.name = event.who, .key = event.key, .from = event.from};
  ++ever_;
}

Status Operators::write(Event event, std::int64_t now) {
  const Receipt receipt = KURA_TRY(journal_.append(std::move(event), now));
  take(KURA_TRY(Entry::decode(receipt.entry)));
  return {};
}

base::Result<crypto::PublicKey> Operators::check(const Proof& proof, base::ByteSpan text, std::int64_t now) const {
  const auto at = operators_.find(proof.who);
  if (at == operators_.end()) {
    return base::fail(ErrorCode::kDenied, fmt::format("'{}' is no operator of this vault", base::printable(proof.who)),
                      "`kura-vault operator list` shows who is");
  }
  if (now < at->second.from) {
    return base::fail(ErrorCode::kDenied,
                      fmt::format("{} is an operator from {} on", proof.who, base::format_rfc3339(at->second.from)));
  }
  if (crypto::ed25519_verify(at->second.key, text, proof.signature)) return at->second.key;
  return base::fail(ErrorCode::kDenied, fmt::format("that is not signed by {}'s key", proof.who),
                    "name the file with --key");
}

base::Result<crypto::PublicKey> Operators::verify(const Proof& proof, base::ByteSpan text, std::int64_t now) const {
  const base::MutexLock lock(mutex_);
  return check(proof, text, now);
}

bool Operators::agreed_by_two(const std::vector<Proof>& proofs, base::ByteSpan text, std::int64_t now) const {
  std::set<std::string> who;
  for (const Proof& proof : proofs) {
    if (check(proof, text, now)) who.insert(proof.who);
  }
  return who.size() >= 2;
}

base::Result<Operator> Operators::add(const std::string& name, const crypto::PublicKey& key,
                                      const std::vector<Proof>& proofs, std::int64_t now) {
  KURA_TRY(check_name(name, "an operator"));
  const base::MutexLock lock(mutex_);
  const bool known =
      std::ranges::any_of(operators_, [&](const auto& one) { return one.first == name || one.second.key == key; });
  if (known) return base::fail(ErrorCode::kExists, fmt::format("{}, or this key, is in already", name));
  const bool at_once = ever_ < 2 || agreed_by_two(proofs, operator_text(journal_.vault(), name, key), now);
  KURA_TRY(write({.type = EventType::kOperator,
                  .who = name,
                  .text = at_once ? "" : "added without two signatures",
                  .key = key,
                  .from = at_once ? now : now + kWait},
                 now));
  return operators_.at(name);
}

Status Operators::remove(const std::string& name, std::int64_t now) {
  const base::MutexLock lock(mutex_);
  if (!operators_.contains(name)) {
    return base::fail(ErrorCode::kNotFound, fmt::format("'{}' is no operator of this vault", base::printable(name)));
  }
  return write({.type = EventType::kOperator, .who = name}, now);
}

std::vector<Operator> Operators::all() const {
  const base::MutexLock lock(mutex_);
  std::vector<Operator> all;
  for (const auto& [name, one] : operators_) all.push_back(one);
  return all;
}

}  // namespace kura::vault
