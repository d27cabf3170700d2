// What the door is to the kernel: one nftables table, as text for libnftables. Whatever comes from outside is parsed
// first and written anew here, so no word of it can be taken for a rule.
//
//   inet kura_door
//     chain input   at the input hook, drops what nothing below accepts
//     chain port    for the vault's port: the addresses in these sets
//       set open4, open6   whose elements the kernel forgets when their time is over
//     chain knock   for datagrams to the vault's port: so many a second
//
// The rule for the vault's port comes before all others, and it looks at every packet: nothing that was connected
// lives on when its address has left the set.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "door/address.h"

namespace kura::door {

inline constexpr std::string_view kTable = "inet kura_door";
inline constexpr std::chrono::hours kLongest{48};  // that an address may be let in for
inline constexpr std::size_t kMostOpen = 1024;     // addresses in a set

// Something that stays reachable: the operator's ssh, another vault.
struct Keep {
  std::string protocol;  // "tcp" or "udp"
  std::uint16_t port = 0;
  std::optional<Network> from;  // nothing: everybody

  // "tcp:22:203.0.113.0/24", "tcp:22". kUsage.
  static base::Result<Keep> parse(std::string_view text);
  std::string text() const;
};

struct Rules {
  std::optional<std::uint16_t> port;  // of the vault; nothing: no door that could open
  std::vector<Keep> keep;
};

// In place of the table that is there, by one step of the kernel: at no moment is anything open.
std::string closed_table(const Rules& rules);
std::string removal();
// `time` is more than 0 and at most kLongest; a time that the address had before does not count any more.
std::string opening(const Address& address, std::chrono::seconds time);
// Also when it is not open.
std::string shutting(const Address& address);
std::string shutting_all();

}  // namespace kura::door
