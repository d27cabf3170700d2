#include "vault/door/door_event.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace kura::vault {
namespace {

constexpr std::string_view kOpen = "open ";
constexpr std::string_view kShut = "shut ";
constexpr std::string_view kSchedule = "schedule ";
constexpr std::string_view kBy = " by ";

Event door(const std::string& machine, std::string text) {
  text.resize(std::min(text.size(), kTextLimit));
  return {.type = EventType::kDoor, .who = machine, .text = std::move(text)};
}

}  // namespace

Event opened(const std::string& machine, std::string_view address, std::string_view why, std::int64_t until) {
  Event event = door(machine, fmt::format("{}{} {}", kOpen, address, why));
  event.until = until;
  return event;
}

Event allowed(const std::string& machine, std::string_view who, std::int64_t until) {
  Event event = door(machine, fmt::format("allow order{}{}", kBy, who));
  event.until = until;
  return event;
}

Event refused(const std::string& machine, std::string_view knock, std::string_view address, std::string_view why) {
  return door(machine, fmt::format("refuse {} from {}: {}", knock, address, why));
}

Event shut_again(const std::string& machine, std::string_view why) {
  return door(machine, fmt::format("{}{}", kShut, why));
}

Event scheduled(const std::string& machine, const Schedule& schedule, std::string_view who) {
  return door(machine, fmt::format("{}{}{}{}", kSchedule, schedule.text(), kBy, who));
}

Event by(Event event, const AcceptedKnock& knock) {
  event.objects = {knock.certificate};
  event.number = knock.counter;
  return event;
}

bool says_opened(const Event& event) { return event.type == EventType::kDoor && event.text.starts_with(kOpen); }

bool says_emergency(const Event& event) {
  if (!says_opened(event)) return false;
  const std::string_view rest = std::string_view(event.text).substr(kOpen.size());
  const std::size_t blank = rest.find(' ');
  return blank != std::string_view::npos && rest.substr(blank + 1) == kEmergency;
}

bool says_shut(const Event& event) { return event.type == EventType::kDoor && event.text.starts_with(kShut); }

std::optional<Schedule> schedule_in(const Event& event) {
  if (event.type != EventType::kDoor || !event.text.starts_with(kSchedule)) return std::nullopt;
  const std::string_view rest = std::string_view(event.text).substr(kSchedule.size());
  const auto schedule = Schedule::parse(rest.substr(0, rest.find(kBy)));
  return schedule ? std::optional(*schedule) : std::nullopt;
}

std::optional<AcceptedKnock> knock_in(const Event& event) {
  if (event.type != EventType::kDoor || event.objects.size() != 1) return std::nullopt;
  return AcceptedKnock{.certificate = event.objects[0], .counter = event.number};
}

}  // namespace kura::vault
