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
  base::Result<net::Answer> route(const std::string& method, const std::string& path, const Asked& asked);

  // Who and what there is (admin.cc).
  base::Result<net::Answer> invite(const Asked& asked);
  base::Result<net::Answer> revoke(const Asked& asked);
  base::Result<net::Answer> machines(const Asked& asked);
  base::Result<net::Answer> status(const Asked& asked);
  base::Result<net::Answer> metrics(const Asked& asked);
  base::Result<net::Answer> health(const Asked& asked);
  boost::json::object status_of(Holding& holding);
  bool is_followed(const std::string& repository) const;

  // What people decide (admin_decisions.cc).
  base::Result<net::Answer> policy(const Asked& asked);
  base::Result<net::Answer> freeze(const Asked& asked);
  base::Result<net::Answer> thaw(const Asked& asked);
  base::Result<net::Answer> barrier(const Asked& asked);
  base::Result<net::Answer> trust_clock(const Asked& asked);
  base::Result<net::Answer> customers(const Asked& asked);
  base::Result<net::Answer> set_customer(const Asked& asked);
  base::Result<Holding*> holding_of(const Asked& asked);
  static net::Answer decided(const Holding& holding);

  // Which other vaults it follows (follower_admin.cc).
  base::Result<net::Answer> follow(const Asked& asked);
  base::Result<net::Answer> unfollow(const Asked& asked);
  base::Result<net::Answer> accept(const Asked& asked);
  boost::json::array followed() const;

  // What needs two of them (admin_requests.cc).
  base::Result<net::Answer> operators(const Asked& asked);
  base::Result<net::Answer> add_operator(const Asked& asked);
  base::Result<net::Answer> remove_operator(const Asked& asked);
  base::Result<net::Answer> requests(const Asked& asked);
  base::Result<net::Answer> request(const Asked& asked);
  base::Result<net::Answer> approve(const Asked& asked);
  base::Result<net::Answer> cancel(const Asked& asked);
  base::Result<Holding::Signer> signer_of(const Asked& asked, base::ByteSpan text);
  boost::json::object describe(const Holding& holding, const Request& request) const;

  Site& site_;
  net::Server& server_;
  const std::int64_t deletion_delay_;  // ns
  Puller* const puller_;
  Doorkeeper* const door_;
};

}  // namespace kura::vault
