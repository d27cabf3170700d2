// Where knocks come in: datagrams to the vault's port. None is ever answered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "door/address.h"
#include "vault/door/token_bucket.h"

namespace kura::vault {

// Runs on a thread of its own while it lives.
class KnockListener {
 public:
  using Take = std::function<void(base::ByteSpan datagram, const door::Address& from)>;

  // `take` is called on its thread, so many times a second at most, of one address and of all. kConflict, kDenied.
  static base::Result<std::unique_ptr<KnockListener>> listen(const std::string& address, std::uint16_t port, Take take);

 private:
  KnockListener(base::UniqueFd socket, base::UniqueFd stopped, Take take);
  void run(const std::stop_token& stop);
  void receive();
  bool is_too_many(const door::Address& from);

  const base::UniqueFd socket_, stopped_;
  const Take take_;
  const std::size_t salt_;              // nobody can choose addresses that share a bucket with a machine's
  std::vector<TokenBucket> of_source_;  // of all addresses with the same hash
  TokenBucket of_all_;
  std::jthread thread_;
};

}  // namespace kura::vault
