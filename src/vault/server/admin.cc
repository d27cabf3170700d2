#include "vault/server/admin.h"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>

#include "base/time.h"
#include "vault/server/answers.h"
#include "vault/server/bodies.h"
#include "vault/server/door_api.h"
#include "vault/server/five_marks.h"
#include "vault/server/metrics.h"

namespace kura::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;

constexpr std::string_view kDoor = "/v1/door/";
constexpr std::int64_t kDay = 24LL * 3600 * base::kSecond;

// Of how many snapshots other vaults have copies, and when the newest of them was received here.
json::object copies_of(const Holding& holding) {
  const std::vector<HeldSnapshot> copied = holding.copied();
  json::object copies{{"snapshots", copied.size()}, {"newest", nullptr}};
  if (!copied.empty()) copies["newest"] = base::format_rfc3339(copied.back().received);
  return copies;
}

}  // namespace

net::Task<> Admin::handle(net::Exchange& exchange) {
  const net::Request& request = exchange.request();
  const base::Result<std::string> body = co_await small_body(exchange);
  if (!body) co_return (void) co_await exchange.answer(answer_of(body.error()));
  base::Result<net::Answer> answer;
  co_await server_.elsewhere([&] { answer = route(request.method, request.path, parse_object(*body)); });
  co_await exchange.answer(answer ? *std::move(answer) : answer_of(answer.error()));
}

base::Result<net::Answer> Admin::route(const std::string& method, const std::string& path, const Asked& asked) {
  struct AdminRoute {
    std::string_view method, path;
    base::Result<net::Answer> (Admin::*answer)(const Asked&);
  };
  static constexpr std::array kRoutes = {
      AdminRoute{"POST", "/v1/invite", &Admin::invite},
      AdminRoute{"POST", "/v1/revoke", &Admin::revoke},
      AdminRoute{"GET", "/v1/machines", &Admin::machines},
      AdminRoute{"GET", "/v1/status", &Admin::status},
      AdminRoute{"GET", "/metrics", &Admin::metrics},
      AdminRoute{"GET", "/health", &Admin::health},
      AdminRoute{"POST", "/v1/policy", &Admin::policy},
      AdminRoute{"POST", "/v1/freeze", &Admin::freeze},
      AdminRoute{"POST", "/v1/thaw", &Admin::thaw},
      AdminRoute{"POST", "/v1/barrier", &Admin::barrier},
      AdminRoute{"POST", "/v1/clock/trust", &Admin::trust_clock},
      AdminRoute{"GET", "/v1/customers", &Admin::customers},
      AdminRoute{"POST", "/v1/customers", &Admin::set_customer},
      AdminRoute{"GET", "/v1/operators", &Admin::operators},
      AdminRoute{"POST", "/v1/operators/add", &Admin::add_operator},
      AdminRoute{"POST", "/v1/operators/remove", &Admin::remove_operator},
      AdminRoute{"GET", "/v1/requests", &Admin::requests},
      AdminRoute{"POST", "/v1/requests", &Admin::request},
      AdminRoute{"POST", "/v1/requests/approve", &Admin::approve},
      AdminRoute{"POST", "/v1/requests/cancel", &Admin::cancel},
      AdminRoute{"POST", "/v1/follow", &Admin::follow},
      AdminRoute{"POST", "/v1/unfollow", &Admin::unfollow},
      AdminRoute{"POST", "/v1/accept", &Admin::accept},
  };
  if (path.starts_with(kDoor)) return answer_door(door_, path.substr(kDoor.size()), asked);
  for (const AdminRoute& one : kRoutes) {
    if (one.method == method && one.path == path) return (this->*one.answer)(asked);
  }
  return base::fail(ErrorCode::kNotFound, "there is nothing of that name");
}

base::Result<net::Answer> Admin::invite(const Asked& asked) {
  Member member{.machine = text_in(asked, "machine"), .repository = text_in(asked, "repository")};
  if (text_in(asked, "role") == "follower") member.role = Role::kFollower;
  if (member.role == Role::kMachine && member.repository.empty()) member.repository = member.machine;
  const std::string token = KURA_TRY(site_.invite(member, kDay));
  return json_answer({{"machine", member.machine}, {"repository", member.repository}, {"token", token}});
}

base::Result<net::Answer> Admin::revoke(const Asked& asked) {
  KURA_TRY(site_.registry().revoke(text_in(asked, "machine"), text_in(asked, "why"), site_.now()));
  if (door_ != nullptr) {
    [[maybe_unused]] const base::Status shut = door_->shut(text_in(asked, "machine"), "it was revoked");
  }
  const std::size_t cut = server_.cut([&](const net::Peer& peer) {
    return peer.certificate && !site_.registry().member(peer.certificate->fingerprint());
  });
  return json_answer({{"connections_cut", cut}});
}

base::Result<net::Answer> Admin::machines(const Asked& /*asked*/) {
  json::array all;
  for (const KnownMachine& known : site_.registry().machines()) {
    json::object machine{{"machine", known.member.machine},
                         {"repository", known.member.repository},
                         {"role", known.member.role == Role::kFollower ? "follower" : "machine"},
                         {"revoked", known.revoked},
                         {"certificate_until", nullptr}};
    if (known.until != 0) machine["certificate_until"] = base::format_rfc3339(known.until);
    all.emplace_back(std::move(machine));
  }
  return json_answer(all);
}

// Whether it comes here from another vault.
bool Admin::is_followed(const std::string& repository) const {
  if (puller_ == nullptr) return false;
  const std::vector<FollowedVault> all = puller_->status();
  return std::ranges::any_of(all, [&](const FollowedVault& followed) {
    return std::ranges::find(followed.repositories, repository, &FollowedState::repository) !=
           followed.repositories.end();
  });
}

json::object Admin::status_of(Holding& holding) {
  const std::vector<HeldSnapshot> snapshots = holding.snapshots();
  const Policy policy = holding.policy();
  const auto suspect = std::ranges::count_if(snapshots, [](const auto& held) { return !held.suspicion.empty(); });
  json::object repository{{"repository", holding.name()},
                          {"snapshots", snapshots.size()},
                          {"suspect", suspect},
                          {"newest", nullptr},
                          {"age", nullptr},
                          {"frozen", holding.is_frozen()},
                          {"requests", holding.requests().size()},
                          {"policy", policy.text()},
                          {"used", site_.used(holding.name())},
                          {"quota", nullptr},
                          {"damaged", holding.damage().size()},
                          {"repaired", holding.repaired()},
                          {"last_scrub", nullptr},
                          {"copies", copies_of(holding)},
                          {"rule_32110", five_marks_of(holding, is_followed(holding.name())).text()},
                          {"journal", holding.journal().head().sequence}};
  if (const std::int64_t scrubbed = holding.last_scrubbed()) repository["last_scrub"] = base::format_rfc3339(scrubbed);
  if (policy.quota != 0) repository["quota"] = policy.quota;
  if (!snapshots.empty()) {
    repository["newest"] = base::format_rfc3339(snapshots.back().received);
    repository["age"] = (site_.now() - snapshots.back().received) / base::kSecond;
  }
  return repository;
}

base::Result<net::Answer> Admin::status(const Asked& /*asked*/) {
  json::array repositories;
  for (Holding* holding : site_.holdings()) repositories.emplace_back(status_of(*holding));
  json::object status{{"vault", site_.name()},
                      {"now", base::format_rfc3339(site_.now())},
                      {"clock_doubt", nullptr},
                      {"repositories", std::move(repositories)},
                      {"followed", followed()}};
  if (const auto doubt = site_.clock_doubt()) status["clock_doubt"] = *doubt;
  return json_answer(status);
}

base::Result<net::Answer> Admin::metrics(const Asked& /*asked*/) {
  return net::Answer{.type = kMetricsType, .body = metrics_of(site_)};
}

// 503 when a person has to look, so that simple probes see it too.
base::Result<net::Answer> Admin::health(const Asked& /*asked*/) {
  const std::vector<std::string> troubles = troubles_of(site_);
  net::Answer answer = json_answer({{"healthy", troubles.empty()}, {"troubles", json::value_from(troubles)}});
  if (!troubles.empty()) answer.status = 503;
  return answer;
}

}  // namespace kura::vault
