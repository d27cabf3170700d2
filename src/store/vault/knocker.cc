#include "store/vault/knocker.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <memory>

#include <fmt/format.h>

#include "base/number.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "store/vault/service.h"

namespace kura::store::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t kMostPem = 64U << 10;  // bytes
constexpr int kMostAddresses = 4;            // of the vault's name

std::string door_file(const std::string& folder) { return folder + "/door"; }

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> addresses_of(const Address& address) {
  std::string host = address.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (failed == 0) return Addresses(list);
  return base::fail(ErrorCode::kIo, fmt::format("{}: {}", address.server(), ::gai_strerror(failed)));
}

Status send(const addrinfo& to, base::ByteSpan datagram) {
  const base::UniqueFd socket(::socket(to.ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket && ::sendto(socket.get(), datagram.data(), datagram.size(), 0, to.ai_addr, to.ai_addrlen) ==
                    static_cast<ssize_t>(datagram.size())) {
    return {};
  }
  return base::fail(Error::from_errno("cannot knock at the vault's door", errno));
}

Result<std::string> read_pem(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kMostPem, '\0');
  if (!in.read(text.data(), kMostPem) && !in.eof()) return base::fail(Error::from_errno("cannot read " + path, errno));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

// The number in the file; 0 when there is none.
std::uint64_t counter_in(int file) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  return size <= 0 ? 0 : base::parse_number<std::uint64_t>({text.data(), static_cast<std::size_t>(size)}).value_or(0);
}

}  // namespace

bool Knocker::has_door() const { return ::access(door_file(folder_).c_str(), F_OK) == 0; }

// Also on a machine whose clock was set back, and after its state was put back from an older copy, as long as the clock
// is right.
Result<std::uint64_t> Knocker::next_counter() const {
  const std::string path = door_file(folder_);
  const base::UniqueFd file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!file || ::flock(file.get(), LOCK_EX) != 0) return base::fail(Error::from_errno("cannot lock " + path, errno));
  const std::uint64_t counter =
      std::max(counter_in(file.get()) + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(base::now_ns(), 0)));
  const std::string text = std::to_string(counter);  // as long as the one before, or longer
  if (::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::fdatasync(file.get()) != 0) {
    return base::fail(Error::from_errno("cannot write " + path, errno));
  }
  return counter;
}

Status Knocker::knock() const {
  const http::Identity files = identity_in(folder_);
  const std::string own = KURA_TRY(read_pem(files.certificate));
  const pki::PrivateKey key = KURA_TRY(pki::PrivateKey::from_pem(own));
  pki::Knock knock{.purpose = purpose_,
                   .counter = 0,
                   .authority = KURA_TRY(pki::Certificate::from_pem(KURA_TRY(read_pem(files.authority)))).fingerprint(),
                   .certificate = KURA_TRY(pki::Certificate::from_pem(own)).to_der()};
  const Addresses list = KURA_TRY(addresses_of(address_));
  Status sent = base::fail(ErrorCode::kIo, "the vault's name has no address");
  int count = 0;
  for (const addrinfo* to = list.get(); to != nullptr && count < kMostAddresses; to = to->ai_next, ++count) {
    knock.counter = KURA_TRY(next_counter());
    Status one = send(*to, knock.encode(key));
    if (!sent) sent = std::move(one);
  }
  return sent;
}

Status remember_door(const std::string& folder, bool has_door) {
  const std::string path = door_file(folder);
  if (!has_door) {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    return base::fail(Error::from_errno("cannot remove " + path, errno));
  }
  const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file) return {};
  return base::fail(Error::from_errno("cannot create " + path, errno));
}

}  // namespace kura::store::vault
