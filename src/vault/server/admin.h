// What the operator may ask of a running vault, at a socket that nobody else can open (docs/vault-api.md).
#pragma once

#include <cstdint>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "net/server.h"
#include "vault/door/doorkeeper.h"
#include "vault/pull/puller.h"
#include "vault/server/site.h"

namespace kura::vault {

// Shared by threads.
class Admin final : public net::Handler {
 public:
  // All outlive it. `deletion_delay`: as Housekeeping::Times::delay, to be shown. `puller`: of a vault that follows
  // others; `door` is null for a vault that has none.
  Admin(Site& site, net::Server& server, std::int64_t deletion_delay, Puller* puller = nullptr,
        Doorkeeper* door = nullptr)
      : site_(site), server_(server), deletion_delay_(deletion_delay), puller_(puller), door_(door) {}

  net::Task<> handle(net::Exchange& exchange) override;

 private:
  using Asked = boost::json::object;
  net::Answer route(const std::string& method, const std::string& path, const Asked& asked);

  // Who and what there is (admin.cc).
  net::Answer invite(const Asked& asked);
  net::Answer revoke(const Asked& asked);
  net::Answer machines(const Asked& asked);
  net::Answer status(const Asked& asked);
  net::Answer metrics(const Asked& asked);
  net::Answer health(const Asked& asked);
  boost::json::object status_of(Holding& holding);
  bool is_followed(const std::string& repository) const;

  // What people decide (admin_decisions.cc).
  net::Answer policy(const Asked& asked);
  net::Answer freeze(const Asked& asked);
  net::Answer thaw(const Asked& asked);
  net::Answer barrier(const Asked& asked);
  net::Answer trust_clock(const Asked& asked);
  net::Answer customers(const Asked& asked);
  net::Answer set_customer(const Asked& asked);
  base::Result<Holding*> holding_of(const Asked& asked);
  static net::Answer decided(Holding& holding, const base::Status& done);

  // Which other vaults it follows (follower_admin.cc).
  net::Answer follow(const Asked& asked);
  net::Answer unfollow(const Asked& asked);
  net::Answer accept(const Asked& asked);
  boost::json::array followed() const;

  // What needs two of them (admin_requests.cc).
  net::Answer operators(const Asked& asked);
  net::Answer add_operator(const Asked& asked);
  net::Answer remove_operator(const Asked& asked);
  net::Answer requests(const Asked& asked);
  net::Answer request(const Asked& asked);
  net::Answer approve(const Asked& asked);
  net::Answer cancel(const Asked& asked);
  boost::json::object describe(const Holding& holding, const Request& request) const;

  Site& site_;
  net::Server& server_;
  const std::int64_t deletion_delay_;  // ns
  Puller* const puller_;
  Doorkeeper* const door_;
};

}  // namespace kura::vault
