// Who opens and shuts the vault's port. The vault decides, the gate does.
#pragma once

#include <chrono>

#include "base/error.h"
#include "door/address.h"

namespace kura::door {

class Gate {
 public:
  virtual ~Gate() = default;
  // For so long, whatever time it had before. It shuts by itself, even when nobody is left to shut it.
  virtual base::Status open(const Address& address, std::chrono::seconds time) = 0;
  // What is connected from there is cut, too. Well also when it is not open.
  virtual base::Status shut(const Address& address) = 0;
  virtual base::Status shut_all() = 0;
};

}  // namespace kura::door
