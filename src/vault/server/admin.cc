#include "vault/server/admin.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/time.h"
#include "vault/server/answers.h"
#include "vault/server/bodies.h"

namespace kura::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;

constexpr std::int64_t kDay = 24 * 3600 * base::kSecond;

}  // namespace

net::Task<> Admin::handle(net::Exchange& exchange) {
  const std::string& path = exchange.request().path;
  const std::string& method = exchange.request().method;
  net::Answer answer = answer_of({ErrorCode::kNotFound, "there is nothing of that name"});
  if (method == "POST") {
    const base::Result<std::string> body = co_await small_body(exchange);
    if (!body) co_return (void) co_await exchange.answer(answer_of(body.error()));
    co_await server_.elsewhere([&] {
      if (path == "/v1/invite") answer = invite(*body);
      if (path == "/v1/revoke") answer = revoke(*body);
      if (path == "/v1/policy" || path == "/v1/freeze" || path == "/v1/thaw") answer = decide(path.substr(4), *body);
    });
  }
  if (method == "GET") {
    co_await server_.elsewhere([&] {
      if (path == "/v1/machines") answer = machines();
      if (path == "/v1/status") answer = status();
    });
  }
  co_await exchange.answer(std::move(answer));
}

net::Answer Admin::invite(const std::string& body) {
  const json::object request = parse_object(body);
  Member member{.machine = text_in(request, "machine"), .repository = text_in(request, "repository")};
  if (member.repository.empty()) member.repository = member.machine;
  const base::Result<std::string> token = site_.invite(member, kDay);
  if (!token) return answer_of(token.error());
  return json_answer({{"machine", member.machine}, {"repository", member.repository}, {"token", *token}});
}

net::Answer Admin::revoke(const std::string& body) {
  const json::object request = parse_object(body);
  const base::Status revoked =
      site_.registry().revoke(text_in(request, "machine"), text_in(request, "why"), site_.now());
  if (!revoked) return answer_of(revoked.error());
  const std::size_t cut = server_.cut([&](const net::Peer& peer) {
    return peer.certificate && !site_.registry().member(peer.certificate->fingerprint());
  });
  return json_answer({{"connections_cut", cut}});
}

// What a person decides about a repository.
net::Answer Admin::decide(const std::string& what, const std::string& body) {
  const json::object request = parse_object(body);
  const std::string who = text_in(request, "who"), text = text_in(request, "text");
  const base::Result<Holding*> holding = site_.holding(text_in(request, "repository"));
  if (!holding) return answer_of(holding.error());
  base::Status done;
  if (what == "freeze") done = (*holding)->freeze(who, text);
  if (what == "thaw") done = (*holding)->thaw(who, text);
  if (what == "policy" && !text.empty()) {
    const base::Result<Policy> policy = Policy::parse(text);
    done = policy ? (*holding)->set_policy(*policy, who) : base::Status(base::fail(policy.error()));
  }
  if (!done) return answer_of(done.error());
  return json_answer({{"repository", (*holding)->name()},
                      {"frozen", (*holding)->is_frozen()},
                      {"policy", (*holding)->policy().text()}});
}

net::Answer Admin::machines() const {
  json::array all;
  for (const KnownMachine& known : site_.registry().machines()) {
    json::object machine{{"machine", known.member.machine},
                         {"repository", known.member.repository},
                         {"revoked", known.revoked},
                         {"certificate_until", nullptr}};
    if (known.until != 0) machine["certificate_until"] = base::format_rfc3339(known.until);
    all.emplace_back(std::move(machine));
  }
  return json_answer(all);
}

net::Answer Admin::status() {
  json::array repositories;
  for (const Holding* holding : site_.holdings()) {
    const std::vector<HeldSnapshot> snapshots = holding->snapshots();
    json::object repository{{"repository", holding->name()},
                            {"snapshots", snapshots.size()},
                            {"newest", nullptr},
                            {"frozen", holding->is_frozen()},
                            {"policy", holding->policy().text()},
                            {"journal", holding->journal().head().sequence}};
    if (!snapshots.empty()) repository["newest"] = base::format_rfc3339(snapshots.back().received);
    repositories.emplace_back(std::move(repository));
  }
  return json_answer(
      {{"vault", site_.name()}, {"now", base::format_rfc3339(site_.now())}, {"repositories", repositories}});
}

}  // namespace kura::vault
