// Which machines and followers a vault knows, by its own journal: who was invited, who came, and who is not wanted any
// more.
//
//   std::string secret = KURA_TRY(registry.invite("pc1", "office", now, now + day));    // shown once, to a person
//   Member pc1 = KURA_TRY(registry.enrol(secret, request_pem, authority, now)).member;  // by the machine, once
//   registry.member(fingerprint)                                                        // at each request
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "pki/authority.h"
#include "vault/journal/journal.h"

namespace kura::vault {

// A machine uses its one repository. A follower is another vault: it reads all of them, and changes nothing.
enum class Role : std::uint8_t { kMachine, kFollower };

struct Member {
  std::string machine = {};     // or the follower
  std::string repository = {};  // of a machine; empty for a follower
  Role role = Role::kMachine;

  // Whether it is a machine whose repository that is.
  bool is_machine_of(std::string_view name) const { return role == Role::kMachine && repository == name; }
  friend bool operator==(const Member&, const Member&) = default;
};

struct Enrolment {
  Member member;
  pki::Certificate certificate;
};

struct KnownMachine {
  Member member;
  std::int64_t until = 0;  // when its newest certificate ends, ns since 1970
  bool revoked = false;
};

// A name of a machine or a repository: 1 to 64 letters, digits, '-', '_' and '.', not beginning with '.' or '-'. It
// becomes part of paths and certificates. kUsage.
base::Status check_name(std::string_view name, std::string_view of_what);

// Shared by threads.
class Registry {
 public:
  static constexpr std::size_t kSecretSize = 16;                               // bytes
  static constexpr std::int64_t kLifetime = 90LL * 24 * 3600 * 1'000'000'000;  // of a certificate, ns

  // `journal` outlives it; nobody else writes these events into it.
  static base::Result<std::unique_ptr<Registry>> open(Journal& journal);

  // A secret of kSecretSize bytes with which the machine can enrol until then, once. A machine that was revoked is
  // welcome again. kUsage for names that are none, kConflict when the machine belongs to another repository, or was
  // known in the other role.
  base::Result<base::Bytes> invite(const Member& member, std::int64_t now, std::int64_t until);
  // kDenied for a secret that is unknown, used or too old; what `authority` says of the request otherwise.
  base::Result<Enrolment> enrol(base::ByteSpan secret, std::string_view request_pem, const pki::Authority& authority,
                                std::int64_t now);
  // A further certificate for who has one. kDenied when it is not (any more) one of ours.
  base::Result<Enrolment> renew(const base::Digest& certificate, std::string_view request_pem,
                                const pki::Authority& authority, std::int64_t now);
  // At once: member() knows none of its certificates any more. kNotFound.
  base::Status revoke(const std::string& machine, std::string_view why, std::int64_t now);

  // Whose certificate it is, if it counts.
  std::optional<Member> member(const base::Digest& certificate) const;
  std::vector<KnownMachine> machines() const;

 private:
  explicit Registry(Journal& journal) : journal_(journal) {}
  struct Invitation {
    Member member;
    std::int64_t until = 0;
    std::uint64_t sequence = 0;
  };
  void take(const Entry& entry) KURA_REQUIRES(mutex_);
  base::Result<Enrolment> certify(const Member& member, std::uint64_t invitation, std::string_view request_pem,
                                  const pki::Authority& authority, std::int64_t now) KURA_REQUIRES(mutex_);
  base::Status write(Event event, std::int64_t now) KURA_REQUIRES(mutex_);

  Journal& journal_;
  mutable base::Mutex mutex_;
  std::map<std::string, KnownMachine> machines_ KURA_GUARDED_BY(mutex_);
  // By the SHA-256 of the secret, so that who reads the journal cannot use them.
  std::unordered_map<base::Digest, Invitation, base::DigestHash> invitations_ KURA_GUARDED_BY(mutex_);
  std::unordered_map<base::Digest, std::string, base::DigestHash> certificates_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::vault
