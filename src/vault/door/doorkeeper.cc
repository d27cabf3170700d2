#include "vault/door/doorkeeper.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/time.h"
#include "door/rules.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;

std::chrono::seconds seconds_until(std::int64_t until, std::int64_t now) {
  const std::int64_t seconds = (until - now + base::kSecond - 1) / base::kSecond;
  return std::clamp(std::chrono::seconds(seconds), std::chrono::seconds(1), std::chrono::seconds(door::kLongest));
}

}  // namespace

Result<std::unique_ptr<Doorkeeper>> Doorkeeper::open(Parts parts) {
  KURA_TRY_AS(parts.gate.shut_all(), "the door cannot be shut");
  std::unique_ptr<Doorkeeper> keeper(new Doorkeeper(std::move(parts)));
  const base::MutexLock lock(keeper->deciding_);
  KURA_TRY(keeper->parts_.journal.for_each([&](const Entry& entry, base::ByteSpan)
                                               KURA_REQUIRES(keeper->deciding_) { keeper->take(entry); }));
  std::vector<std::string> left_open;
  for (const auto& [machine, known] : keeper->known_) {
    if (known.open_in_journal) left_open.push_back(machine);
  }
  for (const std::string& machine : left_open) {
    KURA_TRY(keeper->write(shut_again(machine, "the vault was started again")));
  }
  return keeper;
}

void Doorkeeper::take(const Entry& entry) {
  const Event& event = entry.event;
  if (event.type != EventType::kDoor) return;
  Known& known = known_[event.who];
  if (const auto knock = knock_in(event)) {
    std::uint64_t& counter = counters_[knock->certificate];
    counter = std::max(counter, knock->counter);
  }
  if (says_opened(event)) known.open_in_journal = true;
  if (says_shut(event)) known.open_in_journal = false;
  if (const auto schedule = schedule_in(event)) known.schedule = *schedule;
  if (!says_emergency(event)) return;
  std::erase_if(known.emergencies, [&](std::int64_t time) { return time + kDay <= entry.time; });
  known.emergencies.push_back(entry.time);
}

Status Doorkeeper::write(Event event) {
  const Receipt receipt = KURA_TRY(parts_.journal.append(std::move(event), parts_.clock()));
  take(KURA_TRY(Entry::decode(receipt.entry)));
  return {};
}

Status Doorkeeper::must_be_known(const std::string& machine) const {
  const auto machines = parts_.registry.machines();
  const auto at = std::ranges::find(machines, machine, [](const KnownMachine& known) { return known.member.machine; });
  if (at != machines.end()) return {};
  return base::fail(ErrorCode::kNotFound, fmt::format("no machine is called {}", base::printable(machine)),
                    "`kura-vault machines` lists them");
}

Status Doorkeeper::order(const std::string& machine, const std::optional<door::Address>& address, std::int64_t time,
                         std::string_view who) {
  KURA_TRY(must_be_known(machine));
  if (time <= 0 || time > kLongestOrder) {
    return base::fail(ErrorCode::kUsage, "a door is opened for more than nothing, and for 24 hours at most");
  }
  const base::MutexLock lock(deciding_);
  const std::int64_t until = parts_.clock() + time;
  if (address) {
    const std::string why = fmt::format("order by {}", who);
    KURA_TRY(let_in(opened(machine, address->text(), why, until), *address, why, /*is_used=*/false));
  } else {
    KURA_TRY(write(allowed(machine, who, until)));
  }
  // One job's end shuts the door; the next one knocks.
  known_[machine].allowed_until = until;
  return {};
}

// Written first: what cannot be written down does not happen.
Status Doorkeeper::let_in(const Event& event, const door::Address& address, std::string_view why, bool is_used) {
  KURA_TRY(write(event));
  const std::int64_t now = parts_.clock();
  std::optional<door::Address> moved_from;
  {
    const base::MutexLock lock(mutex_);
    Opening& opening = openings_[event.who];
    auto& place = opening.addresses[address.is_v4() ? 0 : 1];
    if (place && *place != address) moved_from = place;
    place = address;
    opening.until = std::max(opening.until, event.until);
    opening.deadline = Steady::now() + seconds_until(opening.until, now);
    if (is_used) opening.seen = Steady::now();
    opening.leaving = false;
    opening.why = std::string(why);
  }
  if (moved_from) {
    [[maybe_unused]] const Status left = apply(*moved_from);
  }
  Status applied = apply(address);
  if (!applied) shut_now(event.who, "its gate did not open: " + applied.error().message());
  return applied;
}

// When the last opening to that address ends; nothing: it is shut.
std::optional<std::int64_t> Doorkeeper::end_of(const door::Address& address) const {
  const base::MutexLock lock(mutex_);
  std::optional<std::int64_t> end;
  for (const auto& [machine, opening] : openings_) {
    if (std::ranges::find(opening.addresses, std::optional(address)) != opening.addresses.end())
      end = std::max(end.value_or(0), opening.until);
  }
  return end;
}

// Several machines may have one address, behind one router.
Status Doorkeeper::apply(const door::Address& address) {
  const auto end = end_of(address);
  return end ? parts_.gate.open(address, seconds_until(*end, parts_.clock())) : parts_.gate.shut(address);
}

// What cannot be written down, or a helper that does not answer, keeps nothing open: the kernel has its own time, and
// the vault answers no machine whose door is shut.
void Doorkeeper::shut_now(const std::string& machine, std::string_view why) {
  std::vector<door::Address> shut;
  {
    const base::MutexLock lock(mutex_);
    const auto at = openings_.find(machine);
    if (at == openings_.end()) return;
    for (const auto& address : at->second.addresses) {
      if (address) shut.push_back(*address);
    }
    openings_.erase(at);
  }
  std::string said(why);
  for (const door::Address& address : shut) {
    if (const Status applied = apply(address); !applied) said += "; its gate: " + applied.error().message();
  }
  [[maybe_unused]] const Status written = write(shut_again(machine, said));
  std::erase_if(shut, [&](const door::Address& address) { return end_of(address).has_value(); });
  parts_.cut(machine, shut);
}

Status Doorkeeper::shut(const std::string& machine, std::string_view why) {
  KURA_TRY(must_be_known(machine));
  const base::MutexLock lock(deciding_);
  Known& known = known_[machine];
  if (known.allowed_until > parts_.clock() && !known.open_in_journal) KURA_TRY(write(shut_again(machine, why)));
  known.allowed_until = 0;
  shut_now(machine, why);
  return {};
}

void Doorkeeper::shut_all(std::string_view why) {
  const base::MutexLock lock(deciding_);
  std::vector<std::string> open;
  {
    const base::MutexLock moment(mutex_);
    for (const auto& [machine, opening] : openings_) open.push_back(machine);
  }
  for (const std::string& machine : open) shut_now(machine, why);
  for (auto& [machine, known] : known_) known.allowed_until = 0;
}

Result<Schedule> Doorkeeper::schedule(const std::string& machine, const std::optional<Hours>& more, bool replaces,
                                      std::string_view who) {
  KURA_TRY(must_be_known(machine));
  const base::MutexLock lock(deciding_);
  Schedule schedule = replaces ? Schedule() : known_[machine].schedule;
  if (more) KURA_TRY(schedule.add(*more));
  if (more || replaces) KURA_TRY(write(scheduled(machine, schedule, who)));
  return schedule;
}

std::vector<DoorState> Doorkeeper::state() const {
  const std::int64_t now = parts_.clock();
  std::vector<DoorState> all;
  const base::MutexLock lock(deciding_);
  for (const KnownMachine& machine : parts_.registry.machines()) {
    DoorState state{.machine = machine.member.machine, .schedule = Schedule().text()};
    if (const auto at = known_.find(state.machine); at != known_.end()) {
      state.schedule = at->second.schedule.text();
      state.allowed_until = at->second.allowed_until > now ? at->second.allowed_until : 0;
      state.emergencies = static_cast<std::size_t>(
          std::ranges::count_if(at->second.emergencies, [&](std::int64_t time) { return time + kDay > now; }));
    }
    const base::MutexLock moment(mutex_);
    if (const auto at = openings_.find(state.machine); at != openings_.end()) {
      for (const auto& address : at->second.addresses) {
        if (address) state.addresses.push_back(address->text());
      }
      state.until = at->second.until;
      state.why = at->second.why;
    }
    all.push_back(std::move(state));
  }
  return all;
}

bool Doorkeeper::is_open_for(const std::string& machine) const {
  const base::MutexLock lock(mutex_);
  const auto at = openings_.find(machine);
  return at != openings_.end() && Steady::now() < at->second.deadline;
}

void Doorkeeper::leave(const std::string& machine) {
  const base::MutexLock lock(mutex_);
  if (const auto at = openings_.find(machine); at != openings_.end()) at->second.leaving = true;
}

bool Doorkeeper::has_open_doors() const {
  const base::MutexLock lock(mutex_);
  return !openings_.empty();
}

void Doorkeeper::look(const std::set<std::string>& connected, Steady::time_point now) {
  const base::MutexLock lock(deciding_);  // nobody is let in anew between the look and what follows from it
  std::vector<std::pair<std::string, std::string_view>> over;
  {
    const base::MutexLock moment(mutex_);
    for (auto& [machine, opening] : openings_) {
      const bool is_connected = connected.contains(machine);
      if (is_connected) opening.seen = now;
      if (now >= opening.deadline || parts_.clock() >= opening.until) {
        over.emplace_back(machine, "the time is over");
      } else if (opening.leaving && !is_connected) {
        over.emplace_back(machine, "the job has ended");
      } else if (opening.seen && now - *opening.seen >= kIdle) {
        over.emplace_back(machine, "nobody was connected");
      }
    }
  }
  for (const auto& [machine, why] : over) shut_now(machine, why);
}

}  // namespace kura::vault
