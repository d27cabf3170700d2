// Who may come to the vault, and when. Everything that opens or shuts a machine's door is written into the vault's own
// journal before it opens; from there come hours and counters of knocks after a restart. What was open is shut then.
//
// A door is opened to the address that a machine knocked from (within its hours, by an operator's leave, or in an
// emergency), or to one that an operator names. It is shut when the machine says that its job has ended, when the time
// is over, when the machine has had no connection for a minute, and when it is revoked.
//
// A machine has one address of each kind, IPv4 and IPv6: the one that it knocked from last.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "door/gate.h"
#include "pki/knock.h"
#include "vault/door/door_event.h"
#include "vault/door/schedule.h"
#include "vault/door/token_bucket.h"
#include "vault/journal/journal.h"
#include "vault/registry/registry.h"

namespace kura::vault {

// What people are shown of a machine's door.
struct DoorState {
  std::string machine;
  std::string schedule = {};                // "none", "02:00+3h"
  std::vector<std::string> addresses = {};  // that it is open to; none: it is shut
  std::int64_t until = 0;                   // open until then, ns since 1970
  std::string why = {};                     // it is open
  std::int64_t allowed_until = 0;           // an operator's leave to knock; 0: none
  std::size_t emergencies = 0;              // in the last 24 hours
};

// Shared by threads.
class Doorkeeper {
 public:
  using Steady = std::chrono::steady_clock;
  static constexpr std::int64_t kDay = 24LL * 3600 * 1'000'000'000;            // ns
  static constexpr std::size_t kEmergenciesADay = 3;                           // of a machine
  static constexpr std::int64_t kEmergencyTime = 12LL * 3600 * 1'000'000'000;  // ns
  static constexpr std::int64_t kLongestOrder = 24LL * 3600 * 1'000'000'000;   // ns
  static constexpr std::chrono::seconds kIdle{60};                             // without a connection

  // All outlive it.
  struct Parts {
    Journal& journal;  // the vault's own; nobody else writes these events into it
    Registry& registry;
    door::Gate& gate;
    base::Digest authority;               // SHA-256 of the certificate that knocks have to name
    std::function<std::int64_t()> clock;  // the vault's
    // Cuts the connections of a machine, and of everybody at these addresses.
    std::function<void(const std::string& machine, const std::vector<door::Address>& addresses)> cut;
  };
  // Shuts the gate first. kIo when that cannot be had.
  static base::Result<std::unique_ptr<Doorkeeper>> open(Parts parts);

  // What came as a datagram from `from`. Nothing is ever answered; what is looked at first is cheap.
  enum class Outcome { kIgnored, kRefused, kOpened };
  Outcome knock(base::ByteSpan datagram, const door::Address& from);

  // By an operator: to where the machine knocks from until then, and to `address` at once. kNotFound for a machine that
  // nobody knows, kUsage for more than kLongestOrder.
  base::Status order(const std::string& machine, const std::optional<door::Address>& address, std::int64_t time,
                     std::string_view who);
  // Shuts it, and takes an operator's leave back. kNotFound for a machine that nobody knows.
  base::Status shut(const std::string& machine, std::string_view why);
  void shut_all(std::string_view why);
  // `replaces`: in place of what was there. kNotFound, kUsage.
  base::Result<Schedule> schedule(const std::string& machine, const std::optional<Hours>& more, bool replaces,
                                  std::string_view who);
  std::vector<DoorState> state() const;

  // Whether a request of that machine is to be answered. Waits for nothing.
  bool is_open_for(const std::string& machine) const;
  // The machine says that its job has ended: shut as soon as it has no connection any more.
  void leave(const std::string& machine);
  bool has_open_doors() const;
  // To be called every second or so, with the machines that are connected: shuts what is to be shut by itself.
  void look(const std::set<std::string>& connected, Steady::time_point now = Steady::now());

 private:
  struct Opening {
    std::array<std::optional<door::Address>, 2> addresses;  // IPv4, IPv6
    std::int64_t until = 0;                                 // by the vault's clock
    Steady::time_point deadline;                            // the same by one that nobody sets
    std::optional<Steady::time_point> seen;                 // connected; nothing: an order that nobody used yet
    bool leaving = false;
    std::string why;
  };
  struct Known {
    Schedule schedule;
    std::vector<std::int64_t> emergencies;  // when, in the last 24 hours
    std::int64_t allowed_until = 0;
    bool open_in_journal = false;
    TokenBucket knocks{1.0 / 60, 20};  // signed ones, that are written down
  };

  explicit Doorkeeper(Parts parts) : parts_(std::move(parts)) {}
  void take(const Entry& entry) KURA_REQUIRES(deciding_);
  base::Status write(Event event) KURA_REQUIRES(deciding_);
  std::optional<AcceptedKnock> authentic(base::ByteSpan datagram, const pki::Knock& knock) const
      KURA_REQUIRES(deciding_);
  Outcome answer(const std::string& machine, const pki::Knock& knock, const AcceptedKnock& accepted,
                 const door::Address& from) KURA_REQUIRES(deciding_);
  Outcome answer_job(const std::string& machine, const AcceptedKnock& accepted, const door::Address& from)
      KURA_REQUIRES(deciding_);
  Outcome answer_emergency(const std::string& machine, const AcceptedKnock& accepted, const door::Address& from)
      KURA_REQUIRES(deciding_);
  base::Status let_in(const Event& event, const door::Address& address, std::string_view why, bool is_used)
      KURA_REQUIRES(deciding_);
  base::Status apply(const door::Address& address) KURA_REQUIRES(deciding_);
  void shut_now(const std::string& machine, std::string_view why) KURA_REQUIRES(deciding_);
  std::optional<std::int64_t> end_of(const door::Address& address) const;
  bool is_in_emergency(const std::string& machine) const;
  base::Status must_be_known(const std::string& machine) const;

  const Parts parts_;
  mutable base::Mutex deciding_;  // held while journal and gate are waited for
  std::map<std::string, Known> known_ KURA_GUARDED_BY(deciding_);
  std::unordered_map<base::Digest, std::uint64_t, base::DigestHash> counters_ KURA_GUARDED_BY(deciding_);
  mutable base::Mutex mutex_;  // held for moments
  std::map<std::string, Opening> openings_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::vault
