#include "vault/server/door_service.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace kura::vault {
namespace {

constexpr std::chrono::seconds kLook{1};

}  // namespace

base::Result<std::unique_ptr<DoorService>> DoorService::open(Site& site, net::Server& server,
                                                             const std::string& socket) {
  std::unique_ptr<DoorService> service(new DoorService(site, server, socket));
  DoorService* const self = service.get();
  service->keeper_ = KURA_TRY(
      Doorkeeper::open({.journal = site.journal(),
                        .registry = site.registry(),
                        .gate = service->gate_,
                        .authority = site.authority().certificate().fingerprint(),
                        .clock = [&site] { return site.now(); },
                        .cut = [self](const auto& machine, const auto& addresses) { self->cut(machine, addresses); }}));
  return service;
}

DoorService::~DoorService() {
  watcher_ = {};
  listener_.reset();
  if (keeper_ != nullptr) keeper_->shut_all("the vault stops");
}

base::Status DoorService::start(const std::string& address, std::uint16_t port) {
  const door::Standing standing = KURA_TRY(gate_.status());
  if (standing.port != port) {
    return base::fail(
        base::ErrorCode::kConflict,
        fmt::format("the door's helper keeps port {}, but the vault listens at {}", standing.port.value_or(0), port),
        fmt::format("start it with `kura-door serve --port {}`", port));
  }
  listener_ = KURA_TRY(KnockListener::listen(
      address, port, [this](base::ByteSpan datagram, const door::Address& from) { keeper_->knock(datagram, from); }));
  watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  return {};
}

void DoorService::cut(const std::string& machine, const std::vector<door::Address>& addresses) {
  server_.cut([&](const net::Peer& peer) {
    if (const auto address = door::Address::parse(peer.address);
        address && std::ranges::find(addresses, *address) != addresses.end()) {
      return true;
    }
    const auto member = peer.certificate ? site_.registry().member(peer.certificate->fingerprint()) : std::nullopt;
    return member && member->machine == machine;
  });
}

std::set<std::string> DoorService::connected() const {
  std::set<std::string> machines;
  for (const net::Peer& peer : server_.peers()) {
    const auto member = peer.certificate ? site_.registry().member(peer.certificate->fingerprint()) : std::nullopt;
    if (member) machines.insert(member->machine);
  }
  return machines;
}

void DoorService::watch(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  while (!stop.stop_requested()) {
    if (keeper_->has_open_doors()) keeper_->look(connected());
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, kLook, [] { return false; });
  }
}

}  // namespace kura::vault
