// The door of a vault that runs: knocks come in, doors are shut when their time is over, and what is connected is cut.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/error.h"
#include "door/client.h"
#include "net/server.h"
#include "vault/door/doorkeeper.h"
#include "vault/door/knock_listener.h"
#include "vault/server/site.h"

namespace kura::vault {

class DoorService {
 public:
  // The helper at `socket` shuts its door. Both outlive it. kNotFound, kDenied when the helper is not there, or not for
  // this user.
  static base::Result<std::unique_ptr<DoorService>> open(Site& site, net::Server& server, const std::string& socket);
  // Shuts all doors.
  ~DoorService();
  DoorService(const DoorService&) = delete;
  DoorService& operator=(const DoorService&) = delete;

  // From here on knocks are heard, where the server listens. kConflict when the helper's door is another port's.
  base::Status start(const std::string& address, std::uint16_t port);
  Doorkeeper& keeper() { return *keeper_; }

 private:
  DoorService(Site& site, net::Server& server, const std::string& socket)
      : site_(site), server_(server), gate_(socket) {}
  void cut(const std::string& machine, const std::vector<door::Address>& addresses);
  std::set<std::string> connected() const;
  void watch(const std::stop_token& stop);

  Site& site_;
  net::Server& server_;
  door::Client gate_;
  std::unique_ptr<Doorkeeper> keeper_;
  std::unique_ptr<KnockListener> listener_;
  std::jthread watcher_;
};

}  // namespace kura::vault
