// The hours in which a machine may come: "02:00+3h" every day, "22:30+90m@fri,sat" on two days. A day is the one on
// which the hours begin; clock and days are those of the vault's place (TZ).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kura::vault {

struct Hours {
  static constexpr unsigned kEveryDay = 0x7f;

  unsigned minute = 0;             // of the day, when they begin
  std::chrono::minutes length{0};  // 1 minute to 24 hours
  unsigned days = kEveryDay;       // bit 0: Monday

  // kUsage.
  static base::Result<Hours> parse(std::string_view text);
  std::string text() const;
  // When they end, if `now` is within them; both ns since 1970.
  std::optional<std::int64_t> end_at(std::int64_t now) const;

  friend bool operator==(const Hours&, const Hours&) = default;
};

class Schedule {
 public:
  static constexpr std::size_t kMost = 32;  // hours of a machine

  // Words with blanks between; "none" or nothing: never. kUsage.
  static base::Result<Schedule> parse(std::string_view text);
  std::string text() const;
  // kUsage when there are too many.
  base::Status add(const Hours& hours);
  // When the last of the hours ends that `now` is in.
  std::optional<std::int64_t> end_at(std::int64_t now) const;

 private:
  std::vector<Hours> hours_;
};

}  // namespace kura::vault
