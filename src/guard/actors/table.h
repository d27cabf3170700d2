// Which actor a process belongs to. Found again by the pid within a microsecond or two; the first look at a process
// takes some 100 us. A process of smbd stands for whoever was named last at the address that it is connected to, which
// the kernel tells at once, or else for a client that is not known yet, until set_clients() names it; what was found
// against the latter until then goes over to the client. So does what was found against an address alone, which is all
// that is known of connections that ended before Samba could be asked.
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
  // `samba_ports`: where clients of Samba come in.
  ActorTable(double opens_per_second, double opens_at_once, std::vector<std::uint16_t> samba_ports = {445, 139})
      : opens_per_second_(opens_per_second), opens_at_once_(opens_at_once), samba_ports_(std::move(samba_ports)) {}

  ActorPointer of(pid_t pid);
  ActorPointer named(const ActorName& name);
  // The client, of somebody who was a process of smbd, or an address, when he was looked up.
  ActorPointer current(const ActorPointer& actor);
  // The same of a name that was written down.
  ActorName current_name(const ActorName& name);
  std::vector<ActorPointer> all();

  // Those who got their client's name lately, and who they are: what is noted of them elsewhere has to follow.
  std::vector<std::pair<ActorPointer, ActorPointer>> named_lately();

  // Whether there are processes of smbd of which Samba has not said whose they are, and which: those of clients that
  // were not seen before, who wait for it, and those that are only taken for what was named last.
  enum class Wanted : std::uint8_t { kNothing, kSoon, kNow };
  Wanted wants_clients();
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
    bool unnamed = false;  // of smbd, and Samba was not asked yet whose
    std::string address;   // of smbd's client
  };
  struct Became {
    ActorPointer was, is;
    Clock::time_point when;
  };
  static constexpr std::size_t kMostBecame = 256;

  ActorPointer named_locked(const ActorName& name) KURA_REQUIRES(mutex_);
  ActorName name_without_samba(const Known& known) KURA_REQUIRES(mutex_);
  void name_client(Known& known, const ActorName& name) KURA_REQUIRES(mutex_);
  void hand_over(const ActorPointer& was, const ActorPointer& is) KURA_REQUIRES(mutex_);
  void hand_over_address(const ActorPointer& client) KURA_REQUIRES(mutex_);
  ActorPointer add_process(pid_t pid, Clock::time_point now) KURA_REQUIRES(mutex_);
  void make_room(Clock::time_point now) KURA_REQUIRES(mutex_);

  const double opens_per_second_;
  const double opens_at_once_;
  const std::vector<std::uint16_t> samba_ports_;
  base::Mutex mutex_;
  std::unordered_map<pid_t, Known> processes_ KURA_GUARDED_BY(mutex_);
  std::unordered_map<std::string, ActorPointer> actors_ KURA_GUARDED_BY(mutex_);
  std::unordered_map<std::string, ActorPointer> by_address_ KURA_GUARDED_BY(mutex_);  // who was named last
  std::deque<Became> became_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::guard
