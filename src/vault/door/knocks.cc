// What a knock is worth. What is looked at first costs least: a stranger's datagram ends at a search for the SHA-256 of
// its certificate, a repeated one at its counter; only then is a signature checked.
#include <algorithm>

#include <fmt/format.h>

#include "base/time.h"
#include "crypto/hash.h"
#include "vault/door/doorkeeper.h"

namespace kura::vault {

using Outcome = Doorkeeper::Outcome;

Outcome Doorkeeper::knock(base::ByteSpan datagram, const door::Address& from) {
  const auto knock = pki::Knock::decode(datagram);
  if (!knock || knock->authority != parts_.authority) return Outcome::kIgnored;
  const auto member = parts_.registry.member(crypto::sha256(knock->certificate));
  if (!member) return Outcome::kIgnored;
  const base::MutexLock lock(deciding_);
  const auto accepted = authentic(datagram, *knock);
  return accepted ? answer(member->machine, *knock, *accepted, from) : Outcome::kIgnored;
}

// New, in time, and signed: nothing otherwise.
std::optional<AcceptedKnock> Doorkeeper::authentic(base::ByteSpan datagram, const pki::Knock& knock) const {
  const AcceptedKnock accepted{.certificate = crypto::sha256(knock.certificate), .counter = knock.counter};
  const auto before = counters_.find(accepted.certificate);
  if (accepted.counter <= (before == counters_.end() ? 0 : before->second)) return std::nullopt;
  const auto certificate = pki::Certificate::from_der(knock.certificate);
  if (!certificate || certificate->not_after() <= parts_.clock()) return std::nullopt;
  return pki::is_knock_signed_by(datagram, *certificate) ? std::optional(accepted) : std::nullopt;
}

Outcome Doorkeeper::answer(const std::string& machine, const pki::Knock& knock, const AcceptedKnock& accepted,
                           const door::Address& from) {
  // Whoever has a machine's key could fill the journal.
  if (!known_[machine].knocks.take(Steady::now())) {
    counters_[accepted.certificate] = accepted.counter;
    return Outcome::kIgnored;
  }
  return knock.purpose == pki::KnockPurpose::kEmergency ? answer_emergency(machine, accepted, from)
                                                        : answer_job(machine, accepted, from);
}

Outcome Doorkeeper::answer_job(const std::string& machine, const AcceptedKnock& accepted, const door::Address& from) {
  const std::int64_t now = parts_.clock();
  const Known& known = known_[machine];
  const std::int64_t until = std::max(known.schedule.end_at(now).value_or(0), known.allowed_until);
  if (until > now) {
    const Event event = by(opened(machine, from.text(), "job", until), accepted);
    return let_in(event, from, "job", /*is_used=*/true) ? Outcome::kOpened : Outcome::kRefused;
  }
  [[maybe_unused]] const base::Status written =
      write(by(refused(machine, "job", from.text(), "it is not within the machine's hours"), accepted));
  return Outcome::kRefused;
}

bool Doorkeeper::is_in_emergency(const std::string& machine) const {
  const base::MutexLock lock(mutex_);
  const auto at = openings_.find(machine);
  return at != openings_.end() && at->second.why.starts_with(kEmergency);
}

// A datagram may be lost, so an emergency is knocked for several times: the first one that comes counts.
Outcome Doorkeeper::answer_emergency(const std::string& machine, const AcceptedKnock& accepted,
                                     const door::Address& from) {
  const std::int64_t now = parts_.clock();
  const bool again = is_in_emergency(machine);
  const auto lately =
      std::ranges::count_if(known_[machine].emergencies, [&](std::int64_t time) { return time + kDay > now; });
  if (!again && static_cast<std::size_t>(lately) >= kEmergenciesADay) {
    [[maybe_unused]] const base::Status written =
        write(by(refused(machine, kEmergency, from.text(), fmt::format("there were {} in a day", lately)), accepted));
    return Outcome::kRefused;
  }
  const std::string why = std::string(kEmergency) + (again ? " again" : "");
  if (!again) {
    const base::Status alarm = write({.type = EventType::kAlarm,
                                      .who = machine,
                                      .text = fmt::format("emergency: it asks to be let in at {}", from.text())});
    if (!alarm) return Outcome::kRefused;
  }
  const Event event = by(opened(machine, from.text(), why, now + kEmergencyTime), accepted);
  return let_in(event, from, why, /*is_used=*/true) ? Outcome::kOpened : Outcome::kRefused;
}

}  // namespace kura::vault
