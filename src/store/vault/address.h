// The address of a repository in a vault: https://HOST[:PORT]/NAME.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace kura::store::vault {

inline constexpr std::string_view kScheme = "https";
inline constexpr int kPort = 7443;

struct Address {
  std::string host;  // a name, an IPv4 address, or an IPv6 address in brackets
  int port = kPort;
  std::string repository;

  // "https://host:port"
  std::string server() const;
  // "https://host:port/name", for messages.
  std::string text() const { return server() + "/" + repository; }
  // The folder below a machine's state that has what it needs to be let in.
  std::string identity_folder(const std::string& state_folder) const;
};

// kUsage, saying what is wrong. With `needs_name` false a vault alone is an address too.
base::Result<Address> parse_address(std::string_view text, bool needs_name = true);

}  // namespace kura::store::vault
