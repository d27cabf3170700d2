// JSON that comes from the other side of a vault's API.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace kura::store::vault {

// An object; what is malformed, or is something else, has no fields.
boost::json::object parse_object(std::string_view text);
// The text of a field; empty when it is not there or is something else.
std::string text_in(const boost::json::object& object, const char* name);
// The texts of a field that is a list; what is something else is left out.
std::vector<std::string> texts_in(const boost::json::object& object, const char* name);

}  // namespace kura::store::vault
