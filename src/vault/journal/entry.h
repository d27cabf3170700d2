// What a vault writes down, one entry after the other, each signed and holding on to the one before
// (docs/vault-format.md, section 1).
//
// An entry is also a receipt: whoever was given one can show later that the vault said so, and that a journal which
// has another entry in its place is a forgery.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/keys.h"
#include "store/object.h"

namespace kura::vault {

enum class EventType : std::uint8_t {
  kBegin = 1,            // of a journal: whose, and for what
  kObject = 2,           // a config, a key or another small object came in
  kCommit = 3,           // a snapshot came in, and all that it needs is there
  kExpire = 4,           // snapshots went, by retention
  kCollect = 5,          // packs or indexes went: no snapshot needed them
  kPolicy = 6,           // what is kept, and how much may come
  kFreeze = 7,           // nothing expires from here on
  kThaw = 8,             // until here
  kBarrier = 9,          // later backups do not lean on what came between two times
  kDeleteRequest = 10,   // somebody wants snapshots gone before their time, or less to be kept
  kDeleteApproval = 11,  // somebody else agrees
  kDelete = 12,          // they went
  kClockDoubt = 13,      // the vault's clock cannot be right: nothing expires
  kClockTrust = 14,      // a person says that it is
  kRepair = 15,          // a damaged object was put right
  kAlarm = 16,
  kInvite = 17,        // a machine may enrol, once
  kEnrol = 18,         // it was given a certificate
  kRevoke = 19,        // none of its certificates counts any more
  kDoor = 20,          // somebody knocked, was let in, or not any more; when a machine may come
  kCopy = 21,          // another vault has snapshots too
  kOperator = 22,      // somebody may ask for deletions and agree to them, or may no more
  kCustomer = 23,      // how much the repositories of a customer may hold together
  kDeleteCancel = 24,  // of a request
  kFollow = 25,        // this vault follows another one
  kUnfollow = 26,
};
// "commit", "expire", ...; "event 99" for one that is not known here.
std::string name_of(EventType type);

using SeriesId = std::array<std::uint8_t, 16>;

// Fields that say nothing are left out of the entry; which events have which is in docs/vault-format.md.
struct Event {
  EventType type = EventType::kAlarm;
  std::string who = {};   // a machine or a person, by the name that the vault knows them by; empty: the vault itself
  std::string text = {};  // for people
  store::Kind kind = store::Kind::kConfig;  // of `objects`
  std::vector<store::ObjectId> objects = {};
  std::uint64_t bytes = 0;
  crypto::PublicKey key{};   // begin: the vault's; commit: the machine's
  std::uint64_t number = 0;  // commit: the snapshot's in its machine's chain
  SeriesId series{};
  std::int64_t from = 0, until = 0;  // ns since 1970, of the vault's clock
  std::uint64_t refers_to = 0;       // another entry's sequence
  // commit: bytes of packs that its series did not need before, that it needs no more, and that it needs in all
  std::uint64_t added = 0, dropped = 0, needed = 0;
  base::Bytes proof = {};  // a person's signature, of what deletion.h and operators.h say

  friend bool operator==(const Event&, const Event&) = default;
};

struct Entry {
  std::uint64_t sequence = 0;  // from 1
  std::int64_t time = 0;       // of the vault's clock, ns since 1970; never before the entry before
  base::Digest before;         // SHA-256 of the whole entry before; zero in the first one
  Event event;

  friend bool operator==(const Entry&, const Entry&) = default;

  // The whole entry, signed by the vault.
  base::Bytes encode(const base::Key& vault_seed) const;
  // Of exactly one whole entry. kDamaged, kUnsupported for a newer version. The signature is not looked at.
  static base::Result<Entry> decode(base::ByteSpan whole);
};

inline constexpr std::size_t kEntryLimit = 16U << 20;  // bytes of a whole entry
inline constexpr std::size_t kEntryPrefix = 4;         // bytes that say how many follow
inline constexpr std::size_t kNameLimit = 255;         // bytes of Event::who
inline constexpr std::size_t kTextLimit = 4096;        // bytes of Event::text
inline constexpr std::size_t kProofLimit = 256;        // bytes of Event::proof

// How long the entry is that begins with these kEntryPrefix bytes, these included. kDamaged when no entry is so long
// or so short.
base::Result<std::size_t> entry_size(base::ByteSpan prefix);
// Whether `whole` was signed by that vault.
[[nodiscard]] bool is_signed_by(base::ByteSpan whole, const crypto::PublicKey& vault);
// What the next entry holds on to.
base::Digest hash_of(base::ByteSpan whole);

}  // namespace kura::vault
