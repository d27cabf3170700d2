#include "door/connections.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace kura::door {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

struct Message {
  nlmsghdr head{};
  inet_diag_req_v2 request{};
};

constexpr std::uint32_t kConnected = ~((1U << TCP_LISTEN) | (1U << TCP_CLOSE) | (1U << TCP_TIME_WAIT));
using Buffer = std::array<char, 32U << 10>;

Result<base::UniqueFd> open_netlink() {
  base::UniqueFd socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
    return base::fail(Error::from_errno("cannot ask the kernel for connections", errno));
  }
  return socket;
}

Status send(int socket, std::uint16_t type, std::uint16_t flags, const inet_diag_req_v2& request) {
  Message message{.head = {}, .request = request};
  message.head.nlmsg_len = sizeof message;
  message.head.nlmsg_type = type;
  message.head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  if (::send(socket, &message, sizeof message, 0) == sizeof message) return {};
  return base::fail(Error::from_errno("cannot ask the kernel for connections", errno));
}

Result<std::string_view> receive(int socket, Buffer& buffer) {
  const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
  if (got < 0) return base::fail(Error::from_errno("the kernel does not tell of its connections", errno));
  return std::string_view(buffer.data(), static_cast<std::size_t>(got));
}

// A structure out of the kernel's bytes; nothing when it is not all there.
template <typename T>
std::optional<T> read_at(std::string_view bytes, std::size_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// The number of the error that a message of the kernel tells; 0: done.
int error_in(std::string_view message) {
  const auto head = read_at<nlmsghdr>(message, 0);
  const auto told = read_at<nlmsgerr>(message, NLMSG_HDRLEN);
  return !head || !told || head->nlmsg_type != NLMSG_ERROR ? EIO : -told->error;
}

Address peer_of(const inet_diag_msg& told) {
  const std::size_t size = told.idiag_family == AF_INET ? 4 : 16;
  return Address::from_bytes({reinterpret_cast<const std::uint8_t*>(told.id.idiag_dst), size});
}

// Adds what an answer of the kernel tells of. True when it was the last one.
Result<bool> gather(std::string_view bytes, std::vector<inet_diag_msg>& found) {
  while (const auto head = read_at<nlmsghdr>(bytes, 0)) {
    if (head->nlmsg_len < NLMSG_HDRLEN || head->nlmsg_type == NLMSG_DONE) return true;
    if (head->nlmsg_type == NLMSG_ERROR) {
      return base::fail(Error::from_errno("the kernel does not tell of its connections", error_in(bytes)));
    }
    if (const auto told = read_at<inet_diag_msg>(bytes, NLMSG_HDRLEN)) found.push_back(*told);
    bytes.remove_prefix(std::min<std::size_t>(bytes.size(), NLMSG_ALIGN(head->nlmsg_len)));
  }
  return false;
}

Result<std::vector<inet_diag_msg>> connections_to(int socket, std::uint8_t family, std::uint16_t port) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = kConnected;
  request.id.idiag_sport = htons(port);
  KURA_TRY(send(socket, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, request));
  std::vector<inet_diag_msg> found;
  Buffer buffer;
  while (!KURA_TRY(gather(KURA_TRY(receive(socket, buffer)), found))) {
  }
  std::erase_if(found, [&](const inet_diag_msg& told) { return told.id.idiag_sport != htons(port); });
  return found;
}

// The error's number; 0: it is cut.
Result<int> cut(int socket, const inet_diag_msg& connection) {
  inet_diag_req_v2 request{};
  request.sdiag_family = connection.idiag_family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = kConnected;
  request.id = connection.id;
  KURA_TRY(send(socket, SOCK_DESTROY, NLM_F_ACK, request));
  Buffer buffer;
  return error_in(KURA_TRY(receive(socket, buffer)));
}

}  // namespace

Result<std::size_t> cut_connections(std::uint16_t port, const std::optional<Address>& from) {
  const base::UniqueFd socket = KURA_TRY(open_netlink());
  std::size_t count = 0;
  for (const std::uint8_t family : std::array<std::uint8_t, 2>{AF_INET, AF_INET6}) {
    for (const inet_diag_msg& connection : KURA_TRY(connections_to(socket.get(), family, port))) {
      if (from && peer_of(connection) != *from) continue;
      const int failed = KURA_TRY(cut(socket.get(), connection));
      if (failed == EOPNOTSUPP) return base::fail(ErrorCode::kUnsupported, "this kernel cannot cut connections");
      count += failed == 0 ? 1 : 0;  // ENOENT: it ended by itself
    }
  }
  return count;
}

}  // namespace kura::door
