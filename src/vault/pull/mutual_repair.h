// Damage put right between this vault and one that it follows, in one repository: what is damaged here is fetched from
// there, and what is damaged there, as its journal says, is sent from here.
//
//   MutualRepair repair(holding, "tokyo-a");
//   auto done = repair.round(source, journal, stop);
//
// The other vault is believed in nothing. What comes has to have the SHA-256 of its name. What goes is only what this
// repository has, under the name that the other vault has written down and signed, and what was read and found right
// just before; each object once an hour at most, some gigabytes a round, at the rate of what comes.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "vault/holding/holding.h"
#include "vault/pull/damage_there.h"
#include "vault/pull/followed_journal.h"
#include "vault/pull/source.h"

namespace kura::vault {

// Used by one thread at a time. Memory: the largest object, and what damage_there.h says.
class MutualRepair {
 public:
  // `holding` outlives it. `vault`: the other one, by the name that it has here.
  MutualRepair(Holding& holding, std::string vault);

  struct Done {
    std::uint64_t here = 0, there = 0;  // objects that were put right
  };
  // Once through; what cannot be put right now is left for later, and is no alarm: it is one already where it was
  // found. `done` grows, also before an error, which is one of the line or of this machine.
  Fetched<void> round(Source& source, const FollowedJournal& journal, const std::stop_token& stop, Done& done);
  // The other vault's journal is followed anew.
  void begin_anew() { there_.begin_anew(); }

 private:
  using Steady = std::chrono::steady_clock;
  using Waiting = std::unordered_map<store::ObjectId, Steady::time_point, base::DigestHash>;
  enum class Direction : std::uint8_t { kHere, kThere };
  struct Object {
    store::Kind kind = store::Kind::kConfig;
    store::ObjectId id;
  };
  Fetched<void> repair_all(Direction direction, Source& source, const std::stop_token& stop, Done& done);
  // Each: whether it is put right, and by how many bytes `bytes` grows, also before an error.
  Fetched<bool> fetch(Source& source, const Object& object, std::uint64_t& bytes);
  Fetched<bool> send(Source& source, const Object& object, std::uint64_t& bytes);
  std::vector<Object> due(Direction direction);
  Waiting& waiting_of(Direction direction) { return direction == Direction::kHere ? fetching_ : sending_; }

  Holding& holding_;
  const std::string vault_;
  DamageThere there_;
  Steady::time_point next_look_;  // at all of the journal
  Waiting fetching_, sending_;    // what is not tried before a time
};

}  // namespace kura::vault
