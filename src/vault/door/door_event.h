// What the vault's journal says about doors (docs/vault-format.md, event 20), written and read here.
//
// An entry's `who` is the machine whose door it is. Its text begins with what happened:
//   open ADDRESS WHY           WHY: job, emergency, emergency again, order by NAME
//   allow order by NAME        the machine may knock at any hour, until `until`
//   refuse KNOCK from ADDRESS: WHY
//   shut WHY
//   schedule HOURS... by NAME
// What a knock brought has its counter as `number`, and the SHA-256 of the knock's certificate.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "vault/door/schedule.h"
#include "vault/journal/entry.h"

namespace kura::vault {

struct AcceptedKnock {
  base::Digest certificate;
  std::uint64_t counter = 0;
};

inline constexpr std::string_view kEmergency = "emergency";

Event opened(const std::string& machine, std::string_view address, std::string_view why, std::int64_t until);
Event allowed(const std::string& machine, std::string_view who, std::int64_t until);
Event refused(const std::string& machine, std::string_view knock, std::string_view address, std::string_view why);
Event shut_again(const std::string& machine, std::string_view why);
Event scheduled(const std::string& machine, const Schedule& schedule, std::string_view who);
Event by(Event event, const AcceptedKnock& knock);

bool says_opened(const Event& event);
// Opened by an emergency that counts.
bool says_emergency(const Event& event);
bool says_shut(const Event& event);
// The hours in it; nothing when it is about something else.
std::optional<Schedule> schedule_in(const Event& event);
std::optional<AcceptedKnock> knock_in(const Event& event);

}  // namespace kura::vault
