// What people decide, one alone.
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/time.h"
#include "vault/server/admin.h"
#include "vault/server/answers.h"
#include "vault/server/bodies.h"

namespace kura::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;

bool is_true(const json::object& asked, const char* name) {
  const json::value* value = asked.if_contains(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

}  // namespace

base::Result<Holding*> Admin::holding_of(const Asked& asked) { return site_.holding(text_in(asked, "repository")); }

net::Answer Admin::decided(Holding& holding, const base::Status& done) {
  if (!done) return answer_of(done.error());
  return json_answer(
      {{"repository", holding.name()}, {"frozen", holding.is_frozen()}, {"policy", holding.policy().text()}});
}

// One that keeps less than what holds is for two people, unless there is nothing yet that it could take away.
net::Answer Admin::policy(const Asked& asked) {
  const base::Result<Holding*> holding = holding_of(asked);
  if (!holding) return answer_of(holding.error());
  const std::string text = text_in(asked, "text");
  if (text.empty()) return decided(**holding, {});
  const base::Result<Policy> policy = Policy::parse(text);
  if (!policy) return answer_of(policy.error());
  if (policy->keeps_less_than((*holding)->policy()) && !(*holding)->snapshots().empty()) {
    return answer_of({ErrorCode::kDenied, "by these rules less would be kept than now: that needs two people, and time",
                      "ask for it with `kura-vault delete-request REPOSITORY --policy RULES`"});
  }
  return decided(**holding, (*holding)->set_policy(*policy, text_in(asked, "who")));
}

net::Answer Admin::freeze(const Asked& asked) {
  const base::Result<Holding*> holding = holding_of(asked);
  if (!holding) return answer_of(holding.error());
  return decided(**holding, (*holding)->freeze(text_in(asked, "who"), text_in(asked, "text")));
}

net::Answer Admin::thaw(const Asked& asked) {
  const base::Result<Holding*> holding = holding_of(asked);
  if (!holding) return answer_of(holding.error());
  return decided(**holding,
                 (*holding)->thaw(text_in(asked, "who"), text_in(asked, "text"), is_true(asked, "no_attack")));
}

net::Answer Admin::barrier(const Asked& asked) {
  const base::Result<Holding*> holding = holding_of(asked);
  if (!holding) return answer_of(holding.error());
  const base::Result<std::int64_t> since = base::parse_rfc3339(text_in(asked, "since"));
  if (!since) return answer_of(since.error());
  const auto barred = (*holding)->set_barrier(*since, text_in(asked, "who"), text_in(asked, "text"));
  if (!barred) return answer_of(barred.error());
  return json_answer({{"repository", (*holding)->name()}, {"barred_packs", *barred}});
}

net::Answer Admin::trust_clock(const Asked& asked) {
  const base::Status trusted = site_.trust_clock(text_in(asked, "who"), text_in(asked, "text"));
  if (!trusted) return answer_of(trusted.error());
  return json_answer({{"now", base::format_rfc3339(site_.now())}});
}

net::Answer Admin::customers(const Asked& /*asked*/) {
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

net::Answer Admin::set_customer(const Asked& asked) {
  const json::value* quota = asked.if_contains("quota");
  boost::system::error_code none;
  const auto bytes = quota == nullptr ? 0 : quota->to_number<std::uint64_t>(none);
  if (quota == nullptr || none) return answer_of({ErrorCode::kUsage, "a customer's quota is a number of bytes"});
  const std::string customer = text_in(asked, "customer");
  const base::Status done = site_.set_customer_quota(customer, bytes, text_in(asked, "who"));
  if (!done) return answer_of(done.error());
  return json_answer({{"customer", customer}, {"quota", bytes}});
}

}  // namespace kura::vault
