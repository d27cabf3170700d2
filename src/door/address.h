// A numeric address of a machine, in one form however it was written: an IPv4 address that came over an IPv6 socket
// (::ffff:192.0.2.1) is the IPv4 address.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

struct sockaddr_storage;

namespace kura::door {

class Address {
 public:
  // kUsage, also for what is no single machine's: 0.0.0.0, multicast, loopback.
  static base::Result<Address> parse(std::string_view text);
  // Of the other end of a socket. kUsage when it has none of these.
  static base::Result<Address> of(const sockaddr_storage& peer);
  // 4 or 16 bytes, in network order.
  static Address from_bytes(base::ByteSpan bytes);

  bool is_v4() const { return size_ == 4; }
  base::ByteSpan bytes() const { return base::ByteSpan(bytes_).first(size_); }
  std::string text() const;

  friend auto operator<=>(const Address&, const Address&) = default;

 private:
  Address() = default;
  std::size_t size_ = 0;
  std::array<std::uint8_t, 16> bytes_{};
};

// All addresses that begin with the same bits: "203.0.113.0/24", or one address alone.
struct Network {
  Address address;
  unsigned bits = 0;

  // kUsage.
  static base::Result<Network> parse(std::string_view text);
  std::string text() const;

  friend bool operator==(const Network&, const Network&) = default;
};

}  // namespace kura::door
