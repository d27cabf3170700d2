#include "door/client.h"

#include "door/local_socket.h"

namespace kura::door {
namespace {

constexpr std::chrono::seconds kPatienceWithHelper{5};

}  // namespace

base::Result<Standing> Client::ask(const Request& request) {
  const base::UniqueFd socket = KURA_TRY(connect_to(socket_));
  set_patience(socket.get(), kPatienceWithHelper);
  KURA_TRY(write_line(socket.get(), request.encode()));
  auto answer = read_line(socket.get(), kLongestAnswer);
  if (!answer) {
    return base::fail(std::move(answer).error().with_hint(
        "see `kura-door serve --user`: the helper answers to one user and to root"));
  }
  return parse_answer(*answer);
}

base::Status Client::open(const Address& address, std::chrono::seconds time) {
  KURA_TRY(ask({.what = Request::What::kOpen, .address = address, .time = time}));
  return {};
}

base::Status Client::shut(const Address& address) {
  KURA_TRY(ask({.what = Request::What::kShut, .address = address}));
  return {};
}

base::Status Client::shut_all() {
  KURA_TRY(ask({.what = Request::What::kShutAll}));
  return {};
}

base::Result<Standing> Client::status() { return ask({.what = Request::What::kStatus}); }

}  // namespace kura::door
