#include "store/vault/address.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/number.h"

namespace kura::store::vault {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

std::unexpected<base::Error> wrong(std::string_view text, std::string_view why) {
  return base::fail(base::ErrorCode::kUsage,
                    fmt::format("'{}' is not the address of a repository in a vault: {}", base::printable(text), why),
                    fmt::format("write https://HOST:{}/NAME", kPort));
}

}  // namespace

std::string Address::server() const { return fmt::format("{}://{}:{}", kScheme, host, port); }

std::string Address::identity_folder(const std::string& state_folder) const {
  return fmt::format("{}/vaults/{}_{}", state_folder, host, port);
}

base::Result<Address> parse_address(std::string_view text, bool needs_name) {
  constexpr std::string_view kBegin = "https://";
  std::string_view rest = text;
  if (!rest.starts_with(kBegin)) return wrong(text, "it does not begin with https://");
  rest.remove_prefix(kBegin.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  std::string_view name = rest.substr(std::min(slash + 1, rest.size()));
  while (name.ends_with('/')) name.remove_suffix(1);
  Address address;
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', authority.starts_with('[') ? std::min(bracket, authority.size()) : 0);
  address.host = std::string(authority.substr(0, colon));
  const bool brackets = address.host.starts_with('[') && address.host.ends_with(']');
  const std::string_view letters =
      brackets ? std::string_view(address.host).substr(1, address.host.size() - 2) : address.host;
  if (letters.empty() ||
      !std::ranges::all_of(letters, [&](char c) { return is_name_character(c) || (brackets && c == ':'); })) {
    return wrong(text, "it names no host");
  }
  if (colon != std::string_view::npos) {
    const auto port = base::parse_number<std::uint16_t>(authority.substr(colon + 1));
    if (!port || *port == 0) return wrong(text, "its port is none");
    address.port = *port;
  }
  if (name.empty() && needs_name) return wrong(text, "it names no repository");
  if (!std::ranges::all_of(name, is_name_character)) return wrong(text, "the name of its repository is none");
  address.repository = std::string(name);
  return address;
}

}  // namespace kura::store::vault
