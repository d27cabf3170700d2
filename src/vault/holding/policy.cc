#include "vault/holding/policy.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/number.h"
#include "base/time.h"

namespace kura::vault {
namespace {

using archive::RetentionPolicy;
using base::ErrorCode;

constexpr std::size_t kCustomerLimit = 64;  // bytes

struct Rule {
  std::string_view name;
  unsigned RetentionPolicy::* count;
};
constexpr std::array kRules = {Rule{"hourly", &RetentionPolicy::hourly}, Rule{"daily", &RetentionPolicy::daily},
                               Rule{"weekly", &RetentionPolicy::weekly}, Rule{"monthly", &RetentionPolicy::monthly},
                               Rule{"yearly", &RetentionPolicy::yearly}};

std::unexpected<base::Error> not_a_policy(std::string_view word) {
  return base::fail(ErrorCode::kUsage, fmt::format("'{}' is no rule of a policy", base::printable(word)),
                    "write such as: within=30d daily=60 weekly=26 monthly=24 yearly=10 quota=500G tripwire=on");
}

// "500G", "2T", or bytes; units of 1000.
std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kUnits = "kMGT";
  std::uint64_t unit = 1;
  if (!text.empty()) {
    if (const std::size_t at = kUnits.find(text.back()); at != std::string_view::npos) {
      for (std::size_t i = 0; i <= at; ++i) unit *= 1000;
      text.remove_suffix(1);
    }
  }
  const auto number = base::parse_number<std::uint64_t>(text);
  if (!number || *number > UINT64_MAX / unit) return std::nullopt;
  return *number * unit;
}

base::Status take(Policy& policy, std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return not_a_policy(word);
  const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
  RetentionPolicy& keep = policy.keep;
  if (name == "quota") {
    const auto bytes = parse_size(value);
    if (!bytes) return not_a_policy(word);
    policy.quota = *bytes;
    return {};
  }
  if (name == "customer") {
    if (value.size() > kCustomerLimit) return not_a_policy(word);
    policy.customer = value;
    return {};
  }
  if (name == "tripwire") {
    if (value != "on" && value != "off") return not_a_policy(word);
    policy.tripwire = value == "on";
    return {};
  }
  if (name == "within") {
    const auto time = base::parse_duration(value);
    if (!time || time->count() > INT64_MAX / base::kSecond) return not_a_policy(word);
    keep.within = time->count() * base::kSecond;
    return {};
  }
  const auto* const rule = std::ranges::find(kRules, name, &Rule::name);
  const auto count = base::parse_number<unsigned>(value);
  if (rule == kRules.end() || !count) return not_a_policy(word);
  keep.*(rule->count) = *count;
  return {};
}

}  // namespace

std::string Policy::text() const {
  std::string text;
  const auto add = [&](std::string_view word) { text += (text.empty() ? "" : " ") + std::string(word); };
  for (const Rule& rule : kRules) {
    if (keep.*(rule.count) != 0) add(fmt::format("{}={}", rule.name, keep.*(rule.count)));
  }
  if (keep.within != 0) add(fmt::format("within={}s", keep.within / base::kSecond));
  if (quota != 0) add(fmt::format("quota={}", quota));
  if (!customer.empty()) add("customer=" + customer);
  if (!tripwire) add("tripwire=off");
  return text;
}

bool Policy::keeps_less_than(const Policy& other) const {
  if (keep.empty()) return false;  // keeps everything
  if (other.keep.empty() || keep.within < other.keep.within) return true;
  return std::ranges::any_of(kRules, [&](const Rule& rule) { return keep.*(rule.count) < other.keep.*(rule.count); });
}

base::Result<Policy> Policy::parse(std::string_view text) {
  Policy policy{.keep = {}};
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!word.empty()) KURA_TRY(take(policy, word));
  }
  if (policy.keep.empty())
    return base::fail(ErrorCode::kUsage, "a policy without any rule would keep nothing but the newest");
  return policy;
}

}  // namespace kura::vault
