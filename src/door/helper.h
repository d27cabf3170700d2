// The small program that alone may change the firewall: it does what one user asks for at a socket, and nothing else
// than open and shut the vault's port to single addresses.
//
//   auto helper = KURA_TRY(Helper::start({.socket = path, .user = uid, .rules = rules}, report));   // shut from here
//   on helper->run(stop);                                                                              // shut after
//   it, too
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "door/firewall.h"
#include "door/request.h"

namespace kura::door {

struct HelperOptions {
  std::string socket;
  uid_t user = 0;  // that may ask, besides root
  Rules rules;
};

// Used by one thread.
class Helper {
 public:
  // A line for people about what was done.
  using Report = std::function<void(const std::string&)>;

  // Puts the table in place, with nothing open, cuts what is connected to the vault's port, listens, and gives up every
  // other capability. kDenied, kIo.
  static base::Result<std::unique_ptr<Helper>> start(HelperOptions options, Report report);

  // Until `stop`. Then nothing is open, and the table stays. While it runs it looks every second whether the table is
  // still as it was made, and makes it anew, shut, if somebody has touched it.
  base::Status run(const std::stop_token& stop);

 private:
  Helper(HelperOptions options, Report report) : options_(std::move(options)), report_(std::move(report)) {}
  base::Status make_table();
  void keep_table();
  void serve_one();
  std::string answer_to(const std::string& line);
  base::Result<std::string> perform(const Request& request);
  void cut(const std::optional<Address>& from);

  const HelperOptions options_;
  const Report report_;
  Firewall firewall_;
  std::string chains_;  // as the kernel told them when the table was made
  base::UniqueFd listener_;
};

}  // namespace kura::door
