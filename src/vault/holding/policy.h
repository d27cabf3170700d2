// What a vault keeps of a repository, and for how long, and how much may come in. Only people at the vault set it, and
// the journal has each change.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/upkeep/retention.h"
#include "base/error.h"

namespace kura::vault {

struct Policy {
  // Everything of the last 30 days, and of each bucket the snapshot that came first (upkeep/retention.h).
  archive::RetentionPolicy keep{.daily = 60, .weekly = 26, .monthly = 24, .yearly = 10, .within = 30 * kDay};

  std::uint64_t quota = 0;    // bytes; 0: none
  std::string customer = {};  // whose quota it counts for too; may be empty
  bool tripwire = true;       // freeze when a backup is a surprise (tripwire.h)

  static constexpr std::int64_t kDay = 24LL * 3600 * 1'000'000'000;  // ns

  // "daily=60 weekly=26 monthly=24 yearly=10 within=2592000s quota=500000000000 customer=acme tripwire=off": what is as
  // in Policy{.keep = {}} is left out.
  std::string text() const;
  // Whether by these rules something may go that `other` keeps.
  bool keeps_less_than(const Policy& other) const;
  // Names that are not known, numbers that are none: kUsage. What is not named is 0; a policy that would keep nothing
  // but the newest is refused.
  static base::Result<Policy> parse(std::string_view text);
};

}  // namespace kura::vault
