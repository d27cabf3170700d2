#include "door/firewall.h"

#include <nftables/libnftables.h>

#include <string_view>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace kura::door {
namespace {

namespace json = boost::json;
using base::ErrorCode;
using base::Result;
using base::Status;

base::Error error_of(std::string_view told) {
  const std::string words(told.substr(0, told.find('\n')));
  if (told.contains("Operation not permitted") || told.contains("Permission denied")) {
    return {ErrorCode::kDenied, "the kernel does not let this program change the firewall",
            "run it as root, or by its systemd unit, which gives it CAP_NET_ADMIN"};
  }
  if (told.contains("No such file or directory")) {
    return {ErrorCode::kNotFound, fmt::format("there is no table {}", kTable), "`kura-door serve` makes it"};
  }
  return {ErrorCode::kIo, "nftables: " + words};
}

// The element of a set in libnftables' JSON; nothing when it is something else.
std::optional<Opened> opened_of(const json::value& element) {
  const json::object* const outer = element.if_object();
  const json::value* const inner = outer == nullptr ? nullptr : outer->if_contains("elem");
  const json::object* const fields = inner == nullptr ? nullptr : inner->if_object();
  if (fields == nullptr) return std::nullopt;
  const json::value* const value = fields->if_contains("val");
  const json::value* const expires = fields->if_contains("expires");
  if (value == nullptr || !value->is_string() || expires == nullptr || !expires->is_int64()) return std::nullopt;
  const auto address = Address::parse(std::string_view(value->get_string()));
  if (!address) return std::nullopt;
  return Opened{.address = *address, .left = std::chrono::seconds(expires->get_int64())};
}

Status add_elements(const std::string& text, std::vector<Opened>& all) {
  boost::system::error_code malformed;
  const json::value listing = json::parse(text, malformed);
  const json::value* const parts =
      malformed || !listing.is_object() ? nullptr : listing.get_object().if_contains("nftables");
  if (parts == nullptr || !parts->is_array()) return base::fail(ErrorCode::kIo, "libnftables' listing is malformed");
  for (const json::value& part : parts->get_array()) {
    const json::value* const set = part.is_object() ? part.get_object().if_contains("set") : nullptr;
    const json::value* const elements =
        set == nullptr || !set->is_object() ? nullptr : set->get_object().if_contains("elem");
    if (elements == nullptr || !elements->is_array()) continue;
    for (const json::value& element : elements->get_array()) {
      if (const auto opened = opened_of(element)) all.push_back(*opened);
    }
  }
  return {};
}

}  // namespace

void Firewall::Free::operator()(nft_ctx* context) const { nft_ctx_free(context); }

Firewall::Firewall() : context_(nft_ctx_new(NFT_CTX_DEFAULT)) {
  if (context_ == nullptr) return;
  nft_ctx_buffer_output(context_.get());
  nft_ctx_buffer_error(context_.get());
}
Firewall::~Firewall() = default;

Status Firewall::run(const std::string& commands) {
  KURA_TRY(ask(commands, As::kText));
  return {};
}

Result<std::string> Firewall::ask(const std::string& command, As as) {
  if (context_ == nullptr) return base::fail(ErrorCode::kIo, "libnftables cannot be used");
  nft_ctx_output_set_flags(context_.get(), as == As::kJson ? NFT_CTX_OUTPUT_JSON : NFT_CTX_OUTPUT_STATELESS);
  const int failed = nft_run_cmd_from_buffer(context_.get(), command.c_str());
  // Reading a buffer empties it.
  const std::string told = nft_ctx_get_error_buffer(context_.get());
  std::string listing = nft_ctx_get_output_buffer(context_.get());
  if (failed != 0) return base::fail(error_of(told));
  return listing;
}

Result<std::vector<Opened>> Firewall::opened() {
  std::vector<Opened> all;
  for (const char* set : {"open4", "open6"}) {
    KURA_TRY(add_elements(KURA_TRY(ask(fmt::format("list set {} {}", kTable, set), As::kJson)), all));
  }
  return all;
}

Result<std::string> Firewall::chains() {
  std::string all = KURA_TRY(ask(fmt::format("list chain {} input", kTable), As::kText));
  for (const char* chain : {"port", "knock"}) {
    // A vault without a port has none of these.
    if (const auto listing = ask(fmt::format("list chain {} {}", kTable, chain), As::kText)) all += *listing;
  }
  return all;
}

}  // namespace kura::door
