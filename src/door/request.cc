#include "door/request.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace kura::door {
namespace {

namespace json = boost::json;
using base::ErrorCode;
using base::Result;

constexpr std::array<std::pair<Request::What, std::string_view>, 4> kNames{{{Request::What::kOpen, "open"},
                                                                            {Request::What::kShut, "shut"},
                                                                            {Request::What::kShutAll, "shut_all"},
                                                                            {Request::What::kStatus, "status"}}};

constexpr std::array kCodes{ErrorCode::kUsage, ErrorCode::kNotFound, ErrorCode::kDenied,
                            ErrorCode::kIo,    ErrorCode::kConflict, ErrorCode::kUnsupported};

std::unexpected<base::Error> malformed_request() {
  return base::fail(ErrorCode::kUsage, "that is no request that the door knows");
}

// No fields when it is no object.
json::object object_of(std::string_view line) {
  boost::system::error_code malformed;
  json::value value = json::parse(line, malformed);
  json::object* const object = malformed ? nullptr : value.if_object();
  return object == nullptr ? json::object() : std::move(*object);
}

std::string text_in(const json::object& object, const char* name) {
  const json::value* const field = object.if_contains(name);
  const json::string* const text = field == nullptr ? nullptr : field->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::optional<std::int64_t> number_in(const json::object& object, const char* name) {
  const json::value* const field = object.if_contains(name);
  const std::int64_t* const number = field == nullptr ? nullptr : field->if_int64();
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<Opened> opened_in(const json::value& value) {
  const json::object* const fields = value.if_object();
  if (fields == nullptr) return std::nullopt;
  const auto address = Address::parse(text_in(*fields, "address"));
  if (!address) return std::nullopt;
  return Opened{.address = *address, .left = std::chrono::seconds(number_in(*fields, "seconds").value_or(0))};
}

}  // namespace

std::string Request::encode() const {
  json::object object{{"do", std::ranges::find(kNames, what, &decltype(kNames)::value_type::first)->second}};
  if (address) object["address"] = address->text();
  if (time.count() != 0) object["seconds"] = time.count();
  return json::serialize(object);
}

Result<Request> Request::parse(std::string_view line) {
  if (line.size() > kLongestLine) return malformed_request();
  const json::object object = object_of(line);
  const std::string name = text_in(object, "do");
  const auto* const known = std::ranges::find(kNames, name, &decltype(kNames)::value_type::second);
  if (known == kNames.end()) return malformed_request();
  Request request{.what = known->first};
  if (request.what != What::kOpen && request.what != What::kShut) return request;
  request.address = KURA_TRY(Address::parse(text_in(object, "address")));
  if (request.what == What::kShut) return request;
  const std::int64_t seconds = number_in(object, "seconds").value_or(0);
  if (seconds < 1 || seconds > std::chrono::seconds(kLongest).count()) {
    return base::fail(ErrorCode::kUsage, "a door is open for 1 second to 48 hours");
  }
  request.time = std::chrono::seconds(seconds);
  return request;
}

std::string done() { return json::serialize(json::object{{"done", true}}); }

std::string refusal(const base::Error& error) {
  return json::serialize(json::object{
      {"done", false}, {"code", base::name_of(error.code())}, {"message", error.message()}, {"hint", error.hint()}});
}

std::string encode(const Standing& standing) {
  json::array open;
  for (const Opened& opened : standing.open) {
    open.emplace_back(json::object{{"address", opened.address.text()}, {"seconds", opened.left.count()}});
  }
  json::object object{{"done", true}, {"port", nullptr}, {"open", std::move(open)}};
  if (standing.port) object["port"] = *standing.port;
  return json::serialize(object);
}

Result<Standing> parse_answer(std::string_view line) {
  const json::object object = object_of(line);
  const json::value* const is_done = object.if_contains("done");
  if (is_done == nullptr || !is_done->is_bool()) {
    return base::fail(ErrorCode::kIo, "the door's helper answers with something else than JSON");
  }
  if (!is_done->get_bool()) {
    const std::string name = text_in(object, "code");
    const auto* const code = std::ranges::find(kCodes, name, [](ErrorCode known) { return base::name_of(known); });
    return base::fail(code == kCodes.end() ? ErrorCode::kIo : *code, text_in(object, "message"),
                      text_in(object, "hint"));
  }
  Standing standing;
  const std::int64_t port = number_in(object, "port").value_or(0);
  if (port > 0 && port <= 65535) standing.port = static_cast<std::uint16_t>(port);
  const json::value* const open = object.if_contains("open");
  if (open == nullptr || !open->is_array()) return standing;
  for (const json::value& value : open->get_array()) {
    if (const auto opened = opened_in(value)) standing.open.push_back(*opened);
  }
  return standing;
}

}  // namespace kura::door
