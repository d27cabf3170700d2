#include "door/local_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/socket_path.h"

namespace kura::door {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr int kWaiting = 16;  // connections that nobody has taken yet

Result<sockaddr_un> name_of(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    return base::fail(ErrorCode::kUsage, fmt::format("'{}' is too long, or too short, for a socket", path));
  }
  std::ranges::copy(path, name.sun_path);
  return name;
}

}  // namespace

Result<base::UniqueFd> listen_at(const std::string& path) {
  const base::SocketPath place(path);
  const sockaddr_un name = KURA_TRY(name_of(place.text()));
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ::unlink(path.c_str());
  const mode_t before = ::umask(0);
  const bool bound = socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  const int reason = errno;
  ::umask(before);
  if (!bound || ::listen(socket.get(), kWaiting) != 0) {
    return base::fail(Error::from_errno("cannot listen at " + path, bound ? errno : reason));
  }
  return socket;
}

Result<base::UniqueFd> connect_to(const std::string& path) {
  const base::SocketPath place(path);
  const sockaddr_un name = KURA_TRY(name_of(place.text()));
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return socket;
  return base::fail(ErrorCode::kNotFound,
                    Error::from_errno(fmt::format("the door's helper does not answer at {}", path), errno).message(),
                    "start it: `systemctl start kura-door`, or `kura-door serve`");
}

void set_patience(int socket, std::chrono::seconds time) {
  const timeval patience{.tv_sec = time.count(), .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

Result<uid_t> peer_user(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) return peer.uid;
  return base::fail(Error::from_errno("cannot tell who is connected", errno));
}

Result<std::string> read_line(int socket, std::size_t limit) {
  std::string line(limit + 1, '\0');
  std::size_t size = 0;
  while (size < line.size()) {
    const ssize_t got = ::recv(socket, line.data() + size, line.size() - size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return base::fail(ErrorCode::kIo, "the other side of the door's socket said nothing in time");
    const std::size_t searched = size;
    size += static_cast<std::size_t>(got);
    const std::size_t end = line.find('\n', searched);
    if (end >= size) continue;
    line.resize(end);
    return line;
  }
  return base::fail(ErrorCode::kUsage, "the line is too long");
}

Status write_line(int socket, std::string_view line) {
  const std::string ended = std::string(line) + "\n";
  for (std::size_t done = 0; done < ended.size();) {
    const ssize_t sent = ::send(socket, ended.data() + done, ended.size() - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return base::fail(Error::from_errno("cannot write to the door's socket", errno));
    done += static_cast<std::size_t>(sent);
  }
  return {};
}

}  // namespace kura::door
