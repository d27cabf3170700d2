#include "store/vault/json.h"

#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace kura::store::vault {

namespace json = boost::json;

json::object parse_object(std::string_view body) {
  boost::system::error_code malformed;
  json::value value = json::parse(body, malformed);
  json::object* const object = malformed ? nullptr : value.if_object();
  return object == nullptr ? json::object() : std::move(*object);
}

std::string text_in(const json::object& object, const char* name) {
  const json::value* const field = object.if_contains(name);
  const json::string* const text = field != nullptr ? field->if_string() : nullptr;
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::vector<std::string> texts_in(const json::object& object, const char* name) {
  std::vector<std::string> texts;
  const json::value* const field = object.if_contains(name);
  const json::array* const list = field != nullptr ? field->if_array() : nullptr;
  if (list == nullptr) return texts;
  for (const json::value& one : *list) {
    if (const json::string* text = one.if_string()) texts.emplace_back(text->data(), text->size());
  }
  return texts;
}

}  // namespace kura::store::vault
