#include "vault/door/knock_listener.h"

#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "crypto/random.h"
#include "pki/knock.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::size_t kBuckets = 4096;
const TokenBucket kOfSource{1, 10};
const TokenBucket kOfAll{200, 200};

std::size_t random_number() {
  const base::Bytes bytes = crypto::random_bytes(sizeof(std::size_t));
  std::size_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

}  // namespace

Result<std::unique_ptr<KnockListener>> KnockListener::listen(const std::string& address, std::uint16_t port,
                                                             Take take) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &list) != 0) {
    return base::fail(ErrorCode::kUsage, fmt::format("'{}' is no address to listen at", address));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> owned(list);
  base::UniqueFd socket(::socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  base::UniqueFd stopped(::eventfd(0, EFD_CLOEXEC));
  if (!socket || !stopped || ::bind(socket.get(), list->ai_addr, list->ai_addrlen) != 0) {
    return base::fail(
        base::Error::from_errno(fmt::format("cannot listen for knocks at {} port {}", address, port), errno));
  }
  return std::unique_ptr<KnockListener>(new KnockListener(std::move(socket), std::move(stopped), std::move(take)));
}

KnockListener::KnockListener(base::UniqueFd socket, base::UniqueFd stopped, Take take)
    : socket_(std::move(socket)),
      stopped_(std::move(stopped)),
      take_(std::move(take)),
      salt_(random_number()),
      of_source_(kBuckets, kOfSource),
      of_all_(kOfAll),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void KnockListener::run(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { ::eventfd_write(stopped_.get(), 1); });
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> waiting{pollfd{.fd = stopped_.get(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = socket_.get(), .events = POLLIN, .revents = 0}};
    if (::poll(waiting.data(), waiting.size(), -1) > 0 && waiting[1].revents != 0) receive();
  }
}

void KnockListener::receive() {
  std::array<std::uint8_t, pki::kKnockLimit + 1> datagram{};
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const ssize_t got =
      ::recvfrom(socket_.get(), datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
  if (got <= 0 || static_cast<std::size_t>(got) > pki::kKnockLimit) return;
  const auto from = door::Address::of(peer);
  if (from && !is_too_many(*from)) take_(base::ByteSpan(datagram).first(static_cast<std::size_t>(got)), *from);
}

bool KnockListener::is_too_many(const door::Address& from) {
  const std::size_t hash = std::hash<std::string>()(fmt::format("{}{}", salt_, from.text()));
  const auto now = TokenBucket::Clock::now();
  return !of_source_[hash % kBuckets].take(now) || !of_all_.take(now);
}

}  // namespace kura::vault
