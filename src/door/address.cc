#include "door/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/number.h"

namespace kura::door {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::unexpected<base::Error> no_address(std::string_view text) {
  return base::fail(ErrorCode::kUsage, fmt::format("'{}' is no address of a machine", base::printable(text)),
                    "write it in numbers: 192.0.2.1 or 2001:db8::1");
}

// Any numeric address.
std::optional<Address> parse_any(std::string_view text) {
  const std::string ended(text);
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET, ended.c_str(), bytes.data()) == 1)
    return Address::from_bytes(base::ByteSpan(bytes).first(4));
  if (::inet_pton(AF_INET6, ended.c_str(), bytes.data()) == 1) return Address::from_bytes(bytes);
  return std::nullopt;
}

bool is_one_machines(const Address& address) {
  const base::ByteSpan bytes = address.bytes();
  if (address.is_v4()) return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224;
  const bool only_last = std::ranges::all_of(bytes.first(15), [](std::uint8_t byte) { return byte == 0; });
  return bytes[0] != 0xff && !(only_last && bytes[15] <= 1);
}

}  // namespace

Address Address::from_bytes(base::ByteSpan bytes) {
  if (bytes.size() == 16 && std::ranges::equal(bytes.first(12), kMapped)) bytes = bytes.subspan(12);
  Address address;
  address.size_ = bytes.size();
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

Result<Address> Address::parse(std::string_view text) {
  const auto address = parse_any(text);
  if (!address || !is_one_machines(*address)) return no_address(text);
  return *address;
}

Result<Address> Address::of(const sockaddr_storage& peer) {
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    return from_bytes({reinterpret_cast<const std::uint8_t*>(&v4.sin_addr), 4});
  }
  if (peer.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
    return from_bytes({reinterpret_cast<const std::uint8_t*>(&v6.sin6_addr), 16});
  }
  return no_address("");
}

std::string Address::text() const {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_any(text.substr(0, slash));
  if (!address) return no_address(text);
  const unsigned most = address->is_v4() ? 32 : 128;
  const auto bits =
      slash == std::string_view::npos ? std::optional(most) : base::parse_number<unsigned>(text.substr(slash + 1));
  if (!bits || *bits > most) return no_address(text);
  return Network{.address = *address, .bits = *bits};
}

std::string Network::text() const { return fmt::format("{}/{}", address.text(), bits); }

}  // namespace kura::door
