// Which actor a process belongs to. Found again by the pid within a microsecond or two; the first look at a process
// takes some 100 us. A process of smbd stands for a client that is not known yet until set_clients() names it; what was
// found against it until then goes over to the client.
//
// Shared between threads. Bounded: the oldest processes and actors without a sign against them are forgotten.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "guard/actors/actor.h"
#include "guard/actors/process.h"
#include "guard/actors/samba.h"

namespace kura::guard {

using ActorPointer = std::shared_ptr<Actor>;

class ActorTable {
 public:
  ActorTable(double opens_per_second, double opens_at_once)
      : opens_per_second_(opens_per_second), opens_at_once_(opens_at_once) {}

  ActorPointer of(pid_t pid);
  ActorPointer named(const ActorName& name);
  // The client, of somebody who was a process of smbd when he was looked up.
  ActorPointer current(const ActorPointer& actor);
  std::vector<ActorPointer> all();

  // Those who got their client's name lately, and who they are: what is noted of them elsewhere has to follow.
  std::vector<std::pair<ActorPointer, ActorPointer>> named_lately();

  // Whether there are processes of smbd without a client.
  bool wants_clients();
  void set_clients(const SambaClients& clients);

  static constexpr std::size_t kMostProcesses = 16384;
  static constexpr std::size_t kMostActors = 16384;

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    Process process;
    ActorPointer actor;
    Clock::time_point checked;
    int asked = 0;         // how often Samba was asked for it in vain
    bool unnamed = false;  // of smbd, without a client yet
  };
  struct Became {
    ActorPointer was, is;
    Clock::time_point when;
  };
  static constexpr std::size_t kMostBecame = 256;

  ActorPointer named_locked(const ActorName& name) KURA_REQUIRES(mutex_);
  void name_client(Known& known, const ActorName& name) KURA_REQUIRES(mutex_);
  ActorPointer add_process(pid_t pid, Clock::time_point now) KURA_REQUIRES(mutex_);
  void make_room(Clock::time_point now) KURA_REQUIRES(mutex_);

  const double opens_per_second_;
  const double opens_at_once_;
  base::Mutex mutex_;
  std::unordered_map<pid_t, Known> processes_ KURA_GUARDED_BY(mutex_);
  std::unordered_map<std::string, ActorPointer> actors_ KURA_GUARDED_BY(mutex_);
  std::deque<Became> became_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::guard
