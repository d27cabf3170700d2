#include "door/helper.h"

#include <linux/capability.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "base/escape.h"
#include "door/connections.h"
#include "door/local_socket.h"

namespace kura::door {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr int kLook = 1000;  // ms between two looks at the table
constexpr std::chrono::seconds kPatienceWithClient{2};

// All but the one that this program is for.
Status give_up_capabilities() {
  __user_cap_header_struct head{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> sets{};
  sets[0].effective = sets[0].permitted = 1U << CAP_NET_ADMIN;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::syscall(SYS_capset, &head, sets.data()) == 0) return {};
  return base::fail(Error::from_errno("cannot give up capabilities", errno));
}

}  // namespace

Result<std::unique_ptr<Helper>> Helper::start(HelperOptions options, Report report) {
  std::unique_ptr<Helper> helper(new Helper(std::move(options), std::move(report)));
  KURA_TRY(helper->make_table());
  helper->listener_ = KURA_TRY(listen_at(helper->options_.socket));
  KURA_TRY(give_up_capabilities());
  return helper;
}

Status Helper::make_table() {
  KURA_TRY(firewall_.run(closed_table(options_.rules)));
  chains_ = KURA_TRY(firewall_.chains());
  cut(std::nullopt);
  return {};
}

// Some programs load a firewall by emptying it first.
void Helper::keep_table() {
  const auto chains = firewall_.chains();
  if (chains && *chains == chains_) return;
  const Status made = make_table();
  report_(made ? "somebody changed or removed the door's table: it is there again, and shut"
               : fmt::format("THE DOOR STANDS OPEN: its table was changed or removed, and cannot be made again: {}",
                             made.error().text()));
}

Status Helper::run(const std::stop_token& stop) {
  const base::UniqueFd stopped(::eventfd(0, EFD_CLOEXEC));
  const std::stop_callback wake(stop, [&] { ::eventfd_write(stopped.get(), 1); });
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> waiting{pollfd{.fd = stopped.get(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = listener_.get(), .events = POLLIN, .revents = 0}};
    const int ready = ::poll(waiting.data(), waiting.size(), kLook);
    if (ready == 0) keep_table();
    if (ready > 0 && waiting[1].revents != 0) serve_one();
  }
  if (options_.rules.port) KURA_TRY(firewall_.run(shutting_all()));
  cut(std::nullopt);
  ::unlink(options_.socket.c_str());
  return {};
}

void Helper::serve_one() {
  const base::UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return;
  const auto user = peer_user(socket.get());
  if (!user || (*user != options_.user && *user != 0)) return;  // a stranger learns nothing
  set_patience(socket.get(), kPatienceWithClient);
  const auto line = read_line(socket.get(), kLongestLine);
  if (!line && line.error().code() != ErrorCode::kUsage) return;
  [[maybe_unused]] const Status written = write_line(socket.get(), line ? answer_to(*line) : refusal(line.error()));
}

std::string Helper::answer_to(const std::string& line) {
  const auto request = Request::parse(line);
  if (!request) return refusal(request.error());
  auto answer = perform(*request);
  return answer ? *std::move(answer) : refusal(answer.error());
}

Result<std::string> Helper::perform(const Request& request) {
  using What = Request::What;
  if (request.what == What::kStatus) {
    Standing standing{.port = options_.rules.port, .open = {}};
    if (standing.port) standing.open = KURA_TRY(firewall_.opened());
    return encode(standing);
  }
  if (!options_.rules.port) {
    return base::fail(ErrorCode::kUnsupported, "this door has no port: it never opens",
                      "`kura-door serve --port` names the vault's");
  }
  // What somebody took away is put back, shut, before anything is opened in it.
  keep_table();
  if (request.what == What::kOpen) {
    KURA_TRY(firewall_.run(opening(*request.address, request.time)));
    report_(fmt::format("open to {} for {} s", request.address->text(), request.time.count()));
    return done();
  }
  KURA_TRY(firewall_.run(request.what == What::kShut ? shutting(*request.address) : shutting_all()));
  cut(request.address);
  report_(request.address ? fmt::format("shut to {}", request.address->text()) : std::string("shut to all"));
  return done();
}

// Packets are dropped by now; this tells both sides at once. A kernel that cannot leaves it to the vault.
void Helper::cut(const std::optional<Address>& from) {
  if (!options_.rules.port) return;
  const auto count = cut_connections(*options_.rules.port, from);
  if (!count && count.error().code() != ErrorCode::kUnsupported) report_(count.error().text());
}

}  // namespace kura::door
