// Bodies of requests and answers in JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/bytes.h"
#include "base/error.h"
#include "net/server.h"
#include "store/vault/json.h"

namespace kura::vault {

using store::vault::parse_object;
using store::vault::text_in;

inline constexpr std::size_t kSmallBody = 64U << 10;  // bytes

// A whole body of at most kSmallBody. kUsage when it is longer.
net::Task<base::Result<std::string>> small_body(net::Exchange& exchange);

// A body of exactly `size` bytes; nothing when it is cut off. Memory for what comes, not for what is announced.
net::Task<std::optional<base::Bytes>> whole_body(net::Exchange& exchange, std::uint64_t size);

net::Answer json_answer(const boost::json::value& value);

// False when the field is not there or is something else.
bool flag_in(const boost::json::object& object, const char* name);
// Nothing when the field is not there or is no whole number from 0 on.
std::optional<std::uint64_t> count_in(const boost::json::object& object, const char* name);

}  // namespace kura::vault
