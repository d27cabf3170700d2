// What people decide, one alone.
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/time.h"
#include "vault/server/admin.h"
#include "vault/server/bodies.h"

namespace kura::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;

}  // namespace

base::Result<Holding*> Admin::holding_of(const Asked& asked) { return site_.holding(text_in(asked, "repository")); }

net::Answer Admin::decided(const Holding& holding) {
  return json_answer(
      {{"repository", holding.name()}, {"frozen", holding.is_frozen()}, {"policy", holding.policy().text()}});
}

// One that keeps less than what holds is for two people, unless there is nothing yet that it could take away.
base::Result<net::Answer> Admin::policy(const Asked& asked) {
  Holding& holding = *KURA_TRY(holding_of(asked));
  const std::string text = text_in(asked, "text");
  if (text.empty()) return decided(holding);
  const Policy policy = KURA_TRY(Policy::parse(text));
  if (policy.keeps_less_than(holding.policy()) && !holding.snapshots().empty()) {
    return base::fail(ErrorCode::kDenied, "by these rules less would be kept than now: that needs two people, and time",
                      "ask for it with `kura-vault delete-request REPOSITORY --policy RULES`");
  }
  KURA_TRY(holding.set_policy(policy, text_in(asked, "who")));
  return decided(holding);
}

base::Result<net::Answer> Admin::freeze(const Asked& asked) {
  Holding& holding = *KURA_TRY(holding_of(asked));
  KURA_TRY(holding.freeze(text_in(asked, "who"), text_in(asked, "text")));
  return decided(holding);
}

base::Result<net::Answer> Admin::thaw(const Asked& asked) {
  Holding& holding = *KURA_TRY(holding_of(asked));
  KURA_TRY(holding.thaw(text_in(asked, "who"), text_in(asked, "text"), flag_in(asked, "no_attack")));
  return decided(holding);
}

base::Result<net::Answer> Admin::barrier(const Asked& asked) {
  Holding& holding = *KURA_TRY(holding_of(asked));
  const std::int64_t since = KURA_TRY(base::parse_rfc3339(text_in(asked, "since")));
  const std::size_t barred = KURA_TRY(holding.set_barrier(since, text_in(asked, "who"), text_in(asked, "text")));
  return json_answer({{"repository", holding.name()}, {"barred_packs", barred}});
}

base::Result<net::Answer> Admin::trust_clock(const Asked& asked) {
  KURA_TRY(site_.trust_clock(text_in(asked, "who"), text_in(asked, "text")));
  return json_answer({{"now", base::format_rfc3339(site_.now())}});
}

base::Result<net::Answer> Admin::customers(const Asked& /*asked*/) {
  json::array all;
  const auto quotas = site_.customer_quotas();
  for (const auto& [customer, quota] : quotas) {
    std::uint64_t used = 0;
    for (const Holding* holding : site_.holdings()) {
      if (holding->policy().customer == customer) used += site_.used(holding->name());
    }
    all.emplace_back(json::object{{"customer", customer}, {"quota", quota}, {"used", used}});
  }
  return json_answer(all);
}

base::Result<net::Answer> Admin::set_customer(const Asked& asked) {
  const std::optional<std::uint64_t> bytes = count_in(asked, "quota");
  if (!bytes) return base::fail(ErrorCode::kUsage, "a customer's quota is a number of bytes");
  const std::string customer = text_in(asked, "customer");
  KURA_TRY(site_.set_customer_quota(customer, *bytes, text_in(asked, "who")));
  return json_answer({{"customer", customer}, {"quota", *bytes}});
}

}  // namespace kura::vault
