#include "guard/actors/samba.h"

#include <optional>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "base/number.h"
#include "guard/system/command.h"

namespace kura::guard {
namespace {

namespace json = boost::json;

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<pid_t> pid_in(const json::object& entry) {
  const json::value* const server = entry.if_contains("server_id");
  if (server == nullptr || !server->is_object()) return std::nullopt;
  return base::parse_number<pid_t>(text_in(server->get_object(), "pid"));
}

// "ipv4:192.0.2.1:49152", "ipv6:2001:db8::1:49152": the address of what the kernel told smbd. The field
// "remote_machine" is a name that the client may have chosen.
std::string address_in(std::string_view hostname) {
  if (!hostname.starts_with("ipv4:") && !hostname.starts_with("ipv6:")) return {};
  hostname.remove_prefix(5);
  const std::size_t port = hostname.rfind(':');
  std::string_view address = hostname.substr(0, port);
  if (address.starts_with("::ffff:") && address.contains('.')) address.remove_prefix(7);
  return std::string(address);
}

template <typename Each>
void for_each_entry(const json::object& all, std::string_view table, const Each& each) {
  const json::value* const entries = all.if_contains(table);
  if (entries == nullptr || !entries->is_object()) return;
  for (const auto& [id, entry] : entries->get_object()) {
    if (!entry.is_object()) continue;
    if (const auto pid = pid_in(entry.get_object())) each(*pid, entry.get_object());
  }
}

}  // namespace

base::Result<SambaClients> parse_samba_clients(std::string_view text) {
  boost::system::error_code malformed;
  const json::value all = json::parse(text, malformed);
  if (malformed || !all.is_object()) {
    return base::fail(base::ErrorCode::kDamaged, "smbstatus tells no JSON",
                      "Samba 4.17 or newer with JSON is needed to tell its clients apart");
  }
  SambaClients clients;
  for_each_entry(all.get_object(), "sessions", [&](pid_t pid, const json::object& session) {
    const std::string address = address_in(text_in(session, "hostname"));
    if (!address.empty()) clients.try_emplace(pid, SambaClient{address, text_in(session, "username"), {}});
  });
  for_each_entry(all.get_object(), "tcons", [&](pid_t pid, const json::object& connection) {
    const auto client = clients.find(pid);
    const std::string service = text_in(connection, "service");
    if (client != clients.end() && client->second.share.empty() && service != "IPC$") client->second.share = service;
  });
  return clients;
}

base::Result<SambaClients> ask_samba(const std::string& config, const std::stop_token& stop) {
  std::vector<std::string> words = {"smbstatus", "--json"};
  if (!config.empty()) words.insert(words.end(), {"-s", config});
  return parse_samba_clients(KURA_TRY(run_command(words, {}, std::chrono::seconds(10), stop)).output);
}

}  // namespace kura::guard
