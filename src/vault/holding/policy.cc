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

struct Rule {
  std::string_view name;
  unsigned RetentionPolicy::* count;
};
constexpr std::array kRules = {Rule{"hourly", &RetentionPolicy::hourly}, Rule{"daily", &RetentionPolicy::daily},
                               Rule{"weekly", &RetentionPolicy::weekly}, Rule{"monthly", &RetentionPolicy::monthly},
                               Rule{"yearly", &RetentionPolicy::yearly}};

std::unexpected<base::Error> not_a_policy(std::string_view word) {
  return base::fail(ErrorCode::kUsage, fmt::format("'{}' is no rule of what is kept", base::printable(word)),
                    "write such as: within=30d daily=60 weekly=26 monthly=24 yearly=10");
}

base::Status take(RetentionPolicy& keep, std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return not_a_policy(word);
  const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
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
  return text;
}

base::Result<Policy> Policy::parse(std::string_view text) {
  Policy policy{.keep = {}};
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!word.empty()) KURA_TRY(take(policy.keep, word));
  }
  if (policy.keep.empty())
    return base::fail(ErrorCode::kUsage, "a policy without any rule would keep nothing but the newest");
  return policy;
}

}  // namespace kura::vault
