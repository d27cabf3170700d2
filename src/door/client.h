// The gate as the vault has it: each call is one connection to the helper, so a helper that was started again is found.
#pragma once

#include <string>
#include <utility>

#include "door/gate.h"
#include "door/request.h"

namespace kura::door {

// Shared by threads.
class Client final : public Gate {
 public:
  // Connects to nothing yet.
  explicit Client(std::string socket) : socket_(std::move(socket)) {}

  // kNotFound when no helper answers, kDenied when it is not for this user.
  base::Status open(const Address& address, std::chrono::seconds time) override;
  base::Status shut(const Address& address) override;
  base::Status shut_all() override;
  base::Result<Standing> status();

 private:
  base::Result<Standing> ask(const Request& request);

  const std::string socket_;
};

}  // namespace kura::door
