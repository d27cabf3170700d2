// The door's table in this machine's kernel, by libnftables. Needs CAP_NET_ADMIN.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "door/address.h"
#include "door/rules.h"

struct nft_ctx;

namespace kura::door {

struct Opened {
  Address address;
  std::chrono::seconds left{0};
};

// Not shared between threads.
class Firewall {
 public:
  Firewall();
  ~Firewall();
  Firewall(const Firewall&) = delete;
  Firewall& operator=(const Firewall&) = delete;

  // Commands of nft, all of them or none. kDenied without the capability, kIo with nft's own words otherwise.
  base::Status run(const std::string& commands);
  // Whom the vault's port is open to; kNotFound when there is no table.
  base::Result<std::vector<Opened>> opened();
  // Its chains as the kernel has them, without what changes by itself; kNotFound when there is no table.
  base::Result<std::string> chains();

 private:
  enum class As { kText, kJson };
  base::Result<std::string> ask(const std::string& command, As as);

  struct Free {
    void operator()(nft_ctx* context) const;
  };
  const std::unique_ptr<nft_ctx, Free> context_;
};

}  // namespace kura::door
