// What the operator may ask about the vaults that this one follows.
#include <optional>

#include <boost/json/value.hpp>

#include "base/time.h"
#include "vault/server/admin.h"
#include "vault/server/answers.h"
#include "vault/server/bodies.h"

namespace kura::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;

net::Answer follows_nobody() {
  return vault::answer_of(
      {ErrorCode::kUnsupported, "this vault does not follow others", "start it with `kura-vault pull`"});
}

}  // namespace

net::Answer Admin::follow(const Asked& request) {
  if (puller_ == nullptr) return follows_nobody();
  const std::string hex = text_in(request, "key");
  std::optional<crypto::PublicKey> key;
  if (const auto digest = base::Digest::from_hex(hex)) key = digest->bytes;
  if (!hex.empty() && !key) {
    return answer_of({ErrorCode::kUsage, "a vault's key has 64 hex digits", "`kura-vault init` showed it"});
  }
  const auto followed =
      puller_->follow(text_in(request, "address"), text_in(request, "token"), text_in(request, "name"), key, {});
  if (!followed) return answer_of(followed.error());
  return json_answer({{"vault", followed->name},
                      {"address", followed->address.server()},
                      {"key", base::to_hex(followed->key)},
                      {"key_was_given", key.has_value()}});
}

net::Answer Admin::unfollow(const Asked& request) {
  if (puller_ == nullptr) return follows_nobody();
  const std::string name = text_in(request, "vault");
  const base::Status done = puller_->unfollow(name, text_in(request, "why"));
  return done ? json_answer({{"vault", name}}) : answer_of(done.error());
}

net::Answer Admin::accept(const Asked& request) {
  if (puller_ == nullptr) return follows_nobody();
  const auto accepted = puller_->accept(text_in(request, "vault"), text_in(request, "repository"),
                                        text_in(request, "who"), text_in(request, "why"));
  if (!accepted) return answer_of(accepted.error());
  return json_answer({{"repositories", json::array(accepted->begin(), accepted->end())}});
}

json::array Admin::followed() const {
  json::array vaults;
  if (puller_ == nullptr) return vaults;
  for (const FollowedVault& followed : puller_->status()) {
    json::array repositories;
    for (const FollowedState& state : followed.repositories) {
      json::object repository{{"repository", state.repository},
                              {"state", state.state},
                              {"why", state.why},
                              {"behind", state.behind},
                              {"followed", nullptr}};
      if (state.followed != 0) repository["followed"] = base::format_rfc3339(state.followed);
      repositories.emplace_back(std::move(repository));
    }
    vaults.emplace_back(json::object{{"vault", followed.vault.name},
                                     {"address", followed.vault.address.server()},
                                     {"key", base::to_hex(followed.vault.key)},
                                     {"repositories", std::move(repositories)}});
  }
  return vaults;
}

}  // namespace kura::vault
