// What the operator may ask of a running vault, at a socket that nobody else can open (docs/vault-api.md).
#pragma once

#include "net/server.h"
#include "vault/server/site.h"

namespace kura::vault {

// Shared by threads.
class Admin final : public net::Handler {
 public:
  // Both outlive it.
  Admin(Site& site, net::Server& server) : site_(site), server_(server) {}

  net::Task<> handle(net::Exchange& exchange) override;

 private:
  net::Answer invite(const std::string& body);
  net::Answer revoke(const std::string& body);
  net::Answer decide(const std::string& what, const std::string& body);
  net::Answer machines() const;
  net::Answer status();

  Site& site_;
  net::Server& server_;
};

}  // namespace kura::vault
