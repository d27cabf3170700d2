// Somebody who changes files of the share, and what is known of him: a client of Samba (address, user, share), or the
// local processes of one user, program and unit together, since ransomware may start a process a file.
//
// Shared between threads. The permission handler reads the flags, which are atomic; all else is behind the lock.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "base/unique_fd.h"
#include "guard/model/token_bucket.h"
#include "guard/model/trial.h"

namespace kura::guard {

enum class ActorKind : std::uint8_t {
  kSamba,
  kLocal,
  kUnseen,  // what happened while nobody looked: nothing can be contained, a person is told
};

struct ActorName {
  ActorKind kind = ActorKind::kLocal;
  std::string address, account, share;  // of Samba
  uid_t user = 0;                       // of local processes
  std::string program, unit;

  // One word for the same actor, also after a restart.
  std::string key() const;
  std::string text() const;  // for people
};

// How long somebody has to work without a broken file until he is spared delays and copies.
struct UsualAfter {
  std::uint64_t valid_changes = 300;
  std::int64_t days = 3;
};

// A process of an actor, as long as it is that one.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t started = 0;
  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

// A file that went or came, to be matched: one encrypted into another.
struct Passing {
  std::string path;
  std::uint64_t size = 0;
  std::int64_t time = 0;
  bool ends_early = false;  // it came as a copy that broke off
};

// A file that has no name any more: its contents are there as long as the descriptor is.
struct GoneFile {
  std::string path;
  base::UniqueFd file;  // for reading
  std::uint64_t size = 0;
  std::int64_t time = 0;  // when it was deleted
};

struct ActorState {
  Trial trial;
  OpenBucket bucket{10, 20};
  std::uint64_t valid_changes = 0;
  std::int64_t first_seen = 0;
  std::vector<ProcessId> processes;  // newest last, at most kMostProcesses
  std::deque<Passing> came_random;   // new files that look random
  std::deque<Passing> went_whole;    // whole files that he deleted
  std::deque<Passing> came_small;    // small new files: notes
  std::deque<GoneFile> gone;         // what he deleted lately, to be saved once anything speaks against him
  std::string incident;              // its id, while one is open
  bool note_seen = false;
  bool unsaved = false;  // changed since it was last written to the store

  static constexpr std::size_t kMostProcesses = 64;
  static constexpr std::size_t kMostPassing = 128;
};

class Actor {
 public:
  Actor(ActorName name, double opens_per_second, double opens_at_once) : name_(std::move(name)) {
    state.lock()->bucket = OpenBucket(opens_per_second, opens_at_once);
  }

  const ActorName& name() const { return name_; }

  // For the permission handler.
  std::atomic<bool> usual{false};      // spared delays and copies
  std::atomic<bool> watched{false};    // at least one file became broken: nothing is spared
  std::atomic<bool> contained{false};  // opens nothing any more
  std::atomic<int> unjudged{0};        // changes that wait for their judgement

  base::Guarded<ActorState> state;

 private:
  const ActorName name_;
};

}  // namespace kura::guard
