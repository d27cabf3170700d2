#include "door/rules.h"

#include <fmt/format.h>

#include "base/escape.h"
#include "base/number.h"

namespace kura::door {
namespace {

using base::ErrorCode;
using base::Result;

// Before the machine's own rules, which may still refuse what is accepted here.
constexpr int kPriority = -10;

std::unexpected<base::Error> no_keep(std::string_view text) {
  return base::fail(ErrorCode::kUsage, fmt::format("'{}' does not say what to keep reachable", base::printable(text)),
                    "write PROTOCOL:PORT or PROTOCOL:PORT:NETWORK, such as tcp:22:203.0.113.0/24");
}

std::string family_of(const Address& address) { return address.is_v4() ? "ip" : "ip6"; }
std::string set_of(const Address& address) { return fmt::format("{} open{}", kTable, address.is_v4() ? 4 : 6); }

std::string rule_for(const Keep& keep) {
  const std::string source =
      keep.from ? fmt::format("{} saddr {} ", family_of(keep.from->address), keep.from->text()) : std::string();
  return fmt::format("    {}{} dport {} accept\n", source, keep.protocol, keep.port);
}

// Sets and chains for the vault's port. A flood of datagrams costs a bounded share of a processor: so many of one
// source, and so many in all, reach the vault.
constexpr std::string_view kPortChains =
    "  set open4 {{ type ipv4_addr; flags timeout; size {0}; }}\n"
    "  set open6 {{ type ipv6_addr; flags timeout; size {0}; }}\n"
    "  set knockers4 {{ type ipv4_addr; flags dynamic, timeout; size 4096; timeout 1m; }}\n"
    "  set knockers6 {{ type ipv6_addr; flags dynamic, timeout; size 4096; timeout 1m; }}\n"
    "  chain port {{\n"
    "    ip saddr @open4 accept\n"
    "    ip6 saddr @open6 accept\n"
    "    drop\n"
    "  }}\n"
    "  chain knock {{\n"
    "    udp length < 150 drop\n"
    "    udp length > 1300 drop\n"
    "    update @knockers4 {{ ip saddr limit rate over 1/second burst 10 packets }} drop\n"
    "    update @knockers6 {{ ip6 saddr & ffff:ffff:ffff:ffff:: limit rate over 1/second burst 10 packets }} drop\n"
    "    limit rate over 100/second burst 200 packets drop\n"
    "    accept\n"
    "  }}\n";

// Answers to what this machine began, and what IP itself needs. "ct direction reply" is never true for what somebody
// else began. Errors about a connection (the path's largest packet, say) may belong to either.
constexpr std::string_view kAlwaysAccepted =
    "    ct direction reply ct state established,related accept\n"
    "    meta l4proto icmp ct state related accept\n"
    "    meta l4proto ipv6-icmp ct state related accept\n"
    "    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } ip6 hoplimit 255 accept\n"
    "    icmpv6 type mld-listener-query ip6 saddr fe80::/10 accept\n";

}  // namespace

Result<Keep> Keep::parse(std::string_view text) {
  const std::size_t first = text.find(':');
  if (first == std::string_view::npos) return no_keep(text);
  const std::size_t second = text.find(':', first + 1);
  Keep keep{.protocol = std::string(text.substr(0, first)), .port = 0, .from = {}};
  const auto port = base::parse_number<std::uint16_t>(
      text.substr(first + 1, second == std::string_view::npos ? second : second - first - 1));
  if ((keep.protocol != "tcp" && keep.protocol != "udp") || !port || *port == 0) return no_keep(text);
  keep.port = *port;
  if (second != std::string_view::npos) keep.from = KURA_TRY(Network::parse(text.substr(second + 1)));
  return keep;
}

std::string Keep::text() const {
  return from ? fmt::format("{}:{}:{}", protocol, port, from->text()) : fmt::format("{}:{}", protocol, port);
}

std::string closed_table(const Rules& rules) {
  std::string input = "    iifname \"lo\" accept\n";
  for (const Keep& keep : rules.keep) input += rule_for(keep);
  if (rules.port) {
    input += fmt::format("    tcp dport {0} goto port\n    udp dport {0} goto knock\n", *rules.port);
  }
  input += kAlwaysAccepted;
  return fmt::format(
      "add table {0}\ndelete table {0}\ntable {0} {{\n{1}"
      "  chain input {{\n    type filter hook input priority {2}; policy drop;\n{3}  }}\n}}\n",
      kTable, rules.port ? fmt::format(kPortChains, kMostOpen) : std::string(), kPriority, input);
}

std::string removal() { return fmt::format("add table {0}\ndelete table {0}\n", kTable); }

// Added first, so that there is something to delete; added anew, since an element keeps the time that it came with.
std::string opening(const Address& address, std::chrono::seconds time) {
  return shutting(address) +
         fmt::format("add element {} {{ {} timeout {}s }}\n", set_of(address), address.text(), time.count());
}

std::string shutting(const Address& address) {
  return fmt::format("add element {0} {{ {1} }}\ndelete element {0} {{ {1} }}\n", set_of(address), address.text());
}

std::string shutting_all() { return fmt::format("flush set {0} open4\nflush set {0} open6\n", kTable); }

}  // namespace kura::door
