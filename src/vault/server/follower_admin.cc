// What the operator may ask about the vaults that this one follows.
#include <optional>

#include <boost/json/value.hpp>

#include "base/time.h"
#include "crypto/key_text.h"
#include "vault/server/admin.h"
#include "vault/server/bodies.h"

namespace kura::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;

std::unexpected<base::Error> follows_nobody() {
  return base::fail(ErrorCode::kUnsupported, "this vault does not follow others", "start it with `kura-vault pull`");
}

}  // namespace

base::Result<net::Answer> Admin::follow(const Asked& request) {
  if (puller_ == nullptr) return follows_nobody();
  const std::string hex = text_in(request, "key");
  const std::optional<crypto::PublicKey> key = crypto::public_key_from_hex(hex);
  if (!hex.empty() && !key) {
    return base::fail(ErrorCode::kUsage, "a vault's key has 64 hex digits", "`kura-vault init` showed it");
  }
  const Following followed = KURA_TRY(
      puller_->follow(text_in(request, "address"), text_in(request, "token"), text_in(request, "name"), key, {}));
  return json_answer({{"vault", followed.name},
                      {"address", followed.address.server()},
                      {"key", base::to_hex(followed.key)},
                      {"key_was_given", key.has_value()}});
}

base::Result<net::Answer> Admin::unfollow(const Asked& request) {
  if (puller_ == nullptr) return follows_nobody();
  const std::string name = text_in(request, "vault");
  KURA_TRY(puller_->unfollow(name, text_in(request, "why")));
  return json_answer({{"vault", name}});
}

base::Result<net::Answer> Admin::accept(const Asked& request) {
  if (puller_ == nullptr) return follows_nobody();
  const auto accepted = KURA_TRY(puller_->accept(text_in(request, "vault"), text_in(request, "repository"),
                                                 text_in(request, "who"), text_in(request, "why")));
  return json_answer({{"repositories", json::array(accepted.begin(), accepted.end())}});
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
