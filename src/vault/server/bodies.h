// Bodies of requests and answers in JSON.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/error.h"
#include "net/server.h"

namespace kura::vault {

inline constexpr std::size_t kSmallBody = 64U << 10;  // bytes

// A whole body of at most kSmallBody. kUsage when it is longer.
net::Task<base::Result<std::string>> small_body(net::Exchange& exchange);

// An object; what is malformed has no fields.
boost::json::object parse_object(std::string_view body);
// The text of a field; empty when it is not there or is something else.
std::string text_in(const boost::json::object& object, const char* name);

net::Answer json_answer(const boost::json::value& value);

}  // namespace kura::vault
