#include "vault/registry/registry.h"

#include <utility>

#include <fmt/format.h>

#include "base/escape.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;

std::unexpected<base::Error> not_ours() {
  return base::fail(ErrorCode::kDenied, "the certificate is not, or not any more, one of this vault's machines",
                    "enrol the machine again: `kura-vault enrol MACHINE` at the vault, then `kura enrol` here");
}

// A follower's entries name no repository, and a machine's do: so none may be taken for the other.
Status check_member(const Member& member) {
  const bool follows = member.role == Role::kFollower;
  KURA_TRY(check_name(member.machine, follows ? "a vault" : "a machine"));
  if (!follows) return check_name(member.repository, "a repository");
  if (member.repository.empty()) return {};
  return base::fail(ErrorCode::kUsage, "a follower follows all repositories: name none");
}

base::Error known_otherwise(const Member& known) {
  if (known.role == Role::kFollower) {
    return {ErrorCode::kConflict, fmt::format("{} is a vault that follows this one", known.machine),
            "give the machine another name"};
  }
  return {ErrorCode::kConflict,
          fmt::format("the machine {} belongs to the repository {}", known.machine, known.repository),
          "give it another name, or invite it to that repository"};
}

}  // namespace

Status check_name(std::string_view name, std::string_view of_what) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  const bool is_name = !name.empty() && name.size() <= 64 && name[0] != '.' && name[0] != '-' &&
                       name.find_first_not_of(kAllowed) == std::string_view::npos;
  if (is_name) return {};
  return base::fail(ErrorCode::kUsage, fmt::format("'{}' cannot be the name of {}", base::printable(name), of_what),
                    "use 1 to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit");
}

Result<std::unique_ptr<Registry>> Registry::open(Journal& journal) {
  std::unique_ptr<Registry> registry(new Registry(journal));
  const base::MutexLock lock(registry->mutex_);
  KURA_TRY(journal.for_each([&](const Entry& entry, base::ByteSpan)
                                KURA_REQUIRES(registry->mutex_) { registry->take(entry); }));
  return registry;
}

void Registry::take(const Entry& entry) {
  const Event& event = entry.event;
  if (event.type == EventType::kRevoke) {
    std::erase_if(certificates_, [&](const auto& known) { return known.second == event.who; });
    std::erase_if(invitations_, [&](const auto& known) { return known.second.member.machine == event.who; });
    if (const auto at = machines_.find(event.who); at != machines_.end()) at->second.revoked = true;
    return;
  }
  if ((event.type != EventType::kInvite && event.type != EventType::kEnrol) || event.objects.size() != 1) return;
  const Member member{
      .machine = event.who, .repository = event.text, .role = event.text.empty() ? Role::kFollower : Role::kMachine};
  KnownMachine& known = machines_[event.who];
  known.member = member;
  if (event.type == EventType::kInvite) {
    invitations_[event.objects[0]] = {.member = member, .until = event.until, .sequence = entry.sequence};
    return;
  }
  known.until = event.until;
  known.revoked = false;
  certificates_[event.objects[0]] = event.who;
  std::erase_if(invitations_, [&](const auto& other) { return other.second.sequence == event.refers_to; });
}

Status Registry::write(Event event, std::int64_t now) {
  const Receipt receipt = KURA_TRY(journal_.append(std::move(event), now));
  take(KURA_TRY(Entry::decode(receipt.entry)));
  return {};
}

Result<base::Bytes> Registry::invite(const Member& member, std::int64_t now, std::int64_t until) {
  KURA_TRY(check_member(member));
  const base::MutexLock lock(mutex_);
  if (const auto at = machines_.find(member.machine); at != machines_.end() && at->second.member != member) {
    return base::fail(known_otherwise(at->second.member));
  }
  base::Bytes secret = crypto::random_bytes(kSecretSize);
  KURA_TRY(write({.type = EventType::kInvite,
                  .who = member.machine,
                  .text = member.repository,
                  .objects = {crypto::sha256(secret)},
                  .until = until},
                 now));
  return secret;
}

Result<Enrolment> Registry::certify(const Member& member, std::uint64_t invitation, std::string_view request_pem,
                                    const pki::Authority& authority, std::int64_t now) {
  pki::Certificate certificate = KURA_TRY(authority.issue(
      request_pem, {.name = member.machine, .use = pki::Use::kClient, .now = now, .lifetime = kLifetime}));
  KURA_TRY(write({.type = EventType::kEnrol,
                  .who = member.machine,
                  .text = member.repository,
                  .objects = {certificate.fingerprint()},
                  .until = certificate.not_after(),
                  .refers_to = invitation},
                 now));
  return Enrolment{.member = member, .certificate = std::move(certificate)};
}

Result<Enrolment> Registry::enrol(base::ByteSpan secret, std::string_view request_pem, const pki::Authority& authority,
                                  std::int64_t now) {
  const base::MutexLock lock(mutex_);
  const auto at = invitations_.find(crypto::sha256(secret));
  if (at == invitations_.end() || at->second.until < now) {
    return base::fail(ErrorCode::kDenied, "the enrolment token is unknown, used or too old",
                      "make another with `kura-vault enrol MACHINE`");
  }
  const Invitation invitation = at->second;
  return certify(invitation.member, invitation.sequence, request_pem, authority, now);
}

Result<Enrolment> Registry::renew(const base::Digest& certificate, std::string_view request_pem,
                                  const pki::Authority& authority, std::int64_t now) {
  const base::MutexLock lock(mutex_);
  const auto at = certificates_.find(certificate);
  if (at == certificates_.end()) return not_ours();
  const Member member = machines_.at(at->second).member;
  return certify(member, 0, request_pem, authority, now);
}

Status Registry::revoke(const std::string& machine, std::string_view why, std::int64_t now) {
  const base::MutexLock lock(mutex_);
  if (!machines_.contains(machine)) {
    return base::fail(ErrorCode::kNotFound, fmt::format("no machine is called {}", base::printable(machine)),
                      "`kura-vault machines` lists them");
  }
  return write({.type = EventType::kRevoke, .who = machine, .text = std::string(why)}, now);
}

std::optional<Member> Registry::member(const base::Digest& certificate) const {
  const base::MutexLock lock(mutex_);
  const auto at = certificates_.find(certificate);
  return at == certificates_.end() ? std::nullopt : std::optional(machines_.at(at->second).member);
}

std::vector<KnownMachine> Registry::machines() const {
  const base::MutexLock lock(mutex_);
  std::vector<KnownMachine> all;
  for (const auto& [name, known] : machines_) all.push_back(known);
  return all;
}

}  // namespace kura::vault
