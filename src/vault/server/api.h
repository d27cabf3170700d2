// The vault's API (docs/vault-api.md): what a machine or a follower may ask over HTTPS, and how it is answered.
#pragma once

#include <string_view>

#include "net/server.h"
#include "vault/door/doorkeeper.h"
#include "vault/server/log.h"
#include "vault/server/one_at_a_time.h"
#include "vault/server/route.h"
#include "vault/server/site.h"

namespace kura::vault {

// Shared by threads.
class Api final : public net::Handler {
 public:
  // All outlive it. `log` may be null. `door`: machines are answered while it is open for them; null: always.
  Api(Site& site, net::Server& server, Log* log = nullptr, Doorkeeper* door = nullptr)
      : site_(site), server_(server), log_(log), door_(door) {}

  net::Task<> handle(net::Exchange& exchange) override;
  void answered(const net::Request& request, unsigned status) override;

 private:
  net::Task<> repository(net::Exchange& exchange, Holding& holding, const Member& member, const Route& route);
  net::Task<> enrol(net::Exchange& exchange);
  net::Task<> renew(net::Exchange& exchange);
  net::Task<> close_door(net::Exchange& exchange, const Member& member);
  net::Answer enrolled(const base::Result<Enrolment>& enrolment) const;
  net::Task<> get(net::Exchange& exchange, Holding& holding, const Route& route);
  net::Task<> put(net::Exchange& exchange, Holding& holding, const Member& member, const Route& route);
  net::Task<> put_stream(net::Exchange& exchange, Holding& holding, const Route& route, std::uint64_t size);
  net::Task<> put_whole(net::Exchange& exchange, Holding& holding, const Member& member, const Route& route,
                        std::uint64_t size);
  net::Task<> list(net::Exchange& exchange, Holding& holding, store::Kind kind);
  net::Task<> journal(net::Exchange& exchange, Holding& holding);
  // follower_api.cc
  net::Task<> follower(net::Exchange& exchange, const Member& member, std::string_view path);
  net::Task<> take_copies(net::Exchange& exchange, Holding& holding, const Member& member);
  net::Task<> repair(net::Exchange& exchange, Holding& holding, const Member& member, const Route& route);
  net::Task<> copies(net::Exchange& exchange, Holding& holding, const Route& route);
  net::Task<> freeze(net::Exchange& exchange, Holding& holding, const Member& member);
  net::Answer card();

  Site& site_;
  net::Server& server_;
  Log* const log_;  // may be null
  Doorkeeper* const door_;
  OneAtATime::Busy repairing_;  // followers of which an object is on its way
  OneAtATime::Busy sending_;    // machines of which a large one is
};

}  // namespace kura::vault
