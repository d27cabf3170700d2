// Bodies of requests and answers in JSON.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/error.h"
#include "net/server.h"
#include "store/vault/json.h"

namespace kura::vault {

using store::vault::parse_object;
using store::vault::text_in;

inline constexpr std::size_t kSmallBody = 64U << 10;  // bytes

// A whole body of at most kSmallBody. kUsage when it is longer.
net::Task<base::Result<std::string>> small_body(net::Exchange& exchange);

net::Answer json_answer(const boost::json::value& value);

}  // namespace kura::vault
