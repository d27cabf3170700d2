#include "vault/server/door_api.h"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/time.h"
#include "vault/server/answers.h"
#include "vault/server/bodies.h"

namespace kura::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;
using base::Result;

std::int64_t seconds_in(const json::object& request) {
  const json::value* const field = request.if_contains("seconds");
  const std::int64_t* const number = field == nullptr ? nullptr : field->if_int64();
  return number == nullptr || *number > Doorkeeper::kLongestOrder / base::kSecond ? -1 : *number;
}

json::value time_or_null(std::int64_t time) {
  return time == 0 ? json::value(nullptr) : json::value(base::format_rfc3339(time));
}

json::object json_of(const DoorState& state) {
  json::array addresses(state.addresses.begin(), state.addresses.end());
  return {{"machine", state.machine},
          {"open", !state.addresses.empty()},
          {"addresses", std::move(addresses)},
          {"until", time_or_null(state.until)},
          {"why", state.why},
          {"schedule", state.schedule},
          {"allowed_until", time_or_null(state.allowed_until)},
          {"emergencies", state.emergencies}};
}

Result<json::value> open(Doorkeeper& door, const json::object& request) {
  std::optional<door::Address> address;
  if (const std::string text = text_in(request, "address"); !text.empty()) {
    address = KURA_TRY(door::Address::parse(text));
  }
  const std::int64_t seconds = seconds_in(request);
  KURA_TRY(door.order(text_in(request, "machine"), address, seconds < 0 ? seconds : seconds * base::kSecond,
                      text_in(request, "who")));
  return json::value{{"machine", text_in(request, "machine")}, {"seconds", seconds}, {"open", address.has_value()}};
}

Result<json::value> close(Doorkeeper& door, const json::object& request) {
  const std::string why = "order by " + text_in(request, "who");
  if (flag_in(request, "all")) {
    door.shut_all(why);
  } else {
    KURA_TRY(door.shut(text_in(request, "machine"), why));
  }
  return json::value(json::object());
}

Result<json::value> schedule(Doorkeeper& door, const json::object& request) {
  std::optional<Hours> hours;
  if (const std::string text = text_in(request, "hours"); !text.empty()) hours = KURA_TRY(Hours::parse(text));
  const std::string machine = text_in(request, "machine");
  const Schedule now = KURA_TRY(door.schedule(machine, hours, flag_in(request, "none"), text_in(request, "who")));
  return json::value{{"machine", machine}, {"schedule", now.text()}};
}

json::value status(const Doorkeeper& door) {
  json::array doors;
  for (const DoorState& state : door.state()) doors.emplace_back(json_of(state));
  return json::value{{"doors", std::move(doors)}};
}

Result<json::value> answer(Doorkeeper& door, const std::string& what, const json::object& request) {
  if (what == "open") return open(door, request);
  if (what == "close") return close(door, request);
  if (what == "schedule") return schedule(door, request);
  if (what == "status") return status(door);
  return base::fail(ErrorCode::kNotFound, "there is nothing of that name");
}

}  // namespace

Result<net::Answer> answer_door(Doorkeeper* door, const std::string& what, const json::object& asked) {
  if (door == nullptr) {
    return base::fail(ErrorCode::kUnsupported, "this vault runs without a door",
                      "start it with `kura-vault serve --door /run/kura-door/socket`");
  }
  return json_answer(KURA_TRY(answer(*door, what, asked)));
}

net::Answer door_is_shut() {
  net::Answer answer = answer_of(
      {ErrorCode::kDenied, "the vault's door is not open for this machine",
       "it opens within the machine's hours, by `kura-vault door open MACHINE --for 2h` at the vault, and for "
       "`kura backup --emergency`"});
  answer.headers.emplace_back("kura-door", "shut");
  return answer;
}

}  // namespace kura::vault
