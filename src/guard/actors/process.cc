#include "guard/actors/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/number.h"
#include "base/unique_fd.h"

namespace kura::guard {
namespace {

// A file of /proc, as far as it fits.
std::string proc_text(pid_t pid, const char* file) {
  const base::UniqueFd fd(::open(fmt::format("/proc/{}/{}", pid, file).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> text{};
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  return std::string(text.data(), static_cast<std::size_t>(got > 0 ? got : 0));
}

std::vector<std::string_view> words_in(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// The line's rest behind `name`.
std::string_view line_in(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  return text.substr(0, text.find('\n'));
}

std::uint64_t hex_number(std::string_view word) {
  if (word.starts_with("0x")) word.remove_prefix(2);
  std::uint64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value, 16);
  return value;
}

Access access_in(std::uint64_t flags) {
  if ((flags & O_PATH) != 0) return Access::kRead;
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0 ? Access::kWrite : Access::kRead;
}

Access access_of_openat2(pid_t thread, std::uint64_t address) {
  open_how how{};
  iovec local{.iov_base = &how, .iov_len = sizeof how.flags};
  iovec remote{.iov_base = reinterpret_cast<void*>(address), .iov_len = sizeof how.flags};  // NOLINT: another's memory
  const ssize_t got = ::process_vm_readv(thread, &local, 1, &remote, 1, 0);
  return got == sizeof how.flags ? access_in(how.flags) : Access::kWrite;
}

// Of its own end; 0 when it is no socket of the internet.
std::uint16_t port_of(int socket) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) != 0) return 0;
  if (own.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(own).sin_port);
  return own.ss_family == AF_INET6 ? ntohs(reinterpret_cast<const sockaddr_in6&>(own).sin6_port) : std::uint16_t{0};
}

// As Samba writes it: an address of IPv4 also where it came in by IPv6.
std::string peer_address(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
  const void* const bytes = peer.ss_family == AF_INET
                                ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(peer).sin_addr)
                                : &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
  if (::inet_ntop(peer.ss_family, bytes, text.data(), text.size()) == nullptr) return {};
  const std::string_view address(text.data());
  const bool mapped = address.starts_with("::ffff:") && address.contains('.');
  return std::string(mapped ? address.substr(7) : address);
}

std::string unit_in(std::string_view cgroup) {
  const std::size_t end = cgroup.find('\n');
  const std::string_view line = cgroup.substr(0, end);
  const std::size_t service = line.rfind(".service");
  const std::string_view path = service == std::string_view::npos ? line : line.substr(0, service + 8);
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace

std::string peer_of(pid_t pid, std::span<const std::uint16_t> ports) {
  const base::UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return {};
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), code)) {
    if (!std::filesystem::read_symlink(entry.path(), code).native().starts_with("socket:")) continue;
    const int number = base::parse_number<int>(entry.path().filename().native()).value_or(-1);
    const base::UniqueFd socket(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (!socket || std::ranges::find(ports, port_of(socket.get())) == ports.end()) continue;
    if (std::string address = peer_address(socket.get()); !address.empty()) return address;
  }
  return {};
}

bool Process::is_samba() const { return program.ends_with("/smbd"); }

std::optional<std::uint64_t> start_of(pid_t pid) {
  const std::string stat = proc_text(pid, "stat");
  const std::size_t name_end = stat.rfind(')');  // a name may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  const auto words = words_in(std::string_view(stat).substr(name_end + 1));
  constexpr std::size_t kStart = 19;  // the 22nd field, two before the name's end
  if (words.size() <= kStart) return std::nullopt;
  return base::parse_number<std::uint64_t>(words[kStart]);
}

bool serves_samba_client(pid_t pid) {
  const auto parent = words_in(line_in(proc_text(pid, "status"), "\nPPid:"));
  if (parent.empty()) return false;
  const auto server = process_of(base::parse_number<pid_t>(parent.front()).value_or(0));
  const auto own = process_of(pid);
  return own && server && own->is_samba() && server->is_samba();
}

std::optional<Process> process_of(pid_t pid) {
  const auto started = start_of(pid);
  if (!started) return std::nullopt;
  Process process{.pid = pid, .started = *started, .user = 0, .program = {}, .unit = {}};
  std::array<char, 4096> link{};
  const ssize_t got = ::readlink(fmt::format("/proc/{}/exe", pid).c_str(), link.data(), link.size());
  if (got > 0) process.program.assign(link.data(), static_cast<std::size_t>(got));
  const std::string status = proc_text(pid, "status");
  const auto users = words_in(line_in(status, "\nUid:"));
  if (users.size() > 1) process.user = base::parse_number<uid_t>(users[1]).value_or(0);
  process.unit = unit_in(proc_text(pid, "cgroup"));
  return process;
}

Access access_of(pid_t thread) {
  const std::string text = proc_text(thread, "syscall");
  const auto words = words_in(text);
  if (words.size() < 4) return Access::kWrite;
  switch (base::parse_number<long>(words[0]).value_or(-1)) {
#ifdef SYS_open
    case SYS_open:
      return access_in(hex_number(words[2]));
#endif
    case SYS_openat:
    case SYS_open_by_handle_at:
      return access_in(hex_number(words[3]));
    case SYS_openat2:
      return access_of_openat2(thread, hex_number(words[3]));
    case SYS_execve:
    case SYS_execveat:
      return Access::kRead;
    default:
      return Access::kWrite;
  }
}

}  // namespace kura::guard
