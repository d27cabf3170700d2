// The guard itself: watches, judges and contains until it is stopped.
//
//   kernel -> NamesWatch -> (a queue an actor's worker) -> Judging -> Cases -> incident, containment
//   kernel -> OpensWatch -> answers at once, or by lanes that save old contents first
//
// Every queue is bounded; what does not fit is lost, and lost is told (alarm) and mended (everything is looked at
// anew).
#pragma once

#include <memory>
#include <queue>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "detect/confined/confined_judge.h"
#include "guard/canary.h"
#include "guard/cases.h"
#include "guard/judge/judging.h"
#include "guard/scan.h"
#include "guard/settings.h"
#include "guard/watch/names.h"
#include "guard/watch/opens.h"

namespace kura::guard {

class Guard {
 public:
  static base::Result<std::unique_ptr<Guard>> open(GuardSettings settings, OnEvent on_event);
  ~Guard();

  // Until the stop.
  base::Status run(Heartbeat& heartbeat, const std::stop_token& stop);

 private:
  using Clock = std::chrono::steady_clock;
  struct Later {
    Clock::time_point when;
    Change change;
    bool operator<(const Later& other) const { return when > other.when; }  // the soonest on top
  };
  Guard(GuardSettings settings, OnEvent on_event, Share share);
  base::Status open_parts();
  void note_change(Change change);
  void push(Change change);
  void postpone(Change change, std::chrono::milliseconds after) KURA_EXCLUDES(later_mutex_);
  void push_due() KURA_EXCLUDES(later_mutex_);
  void judge_queue(base::BoundedQueue<Change>& queue);
  void lose();
  void set_canaries(const std::set<std::string>& canaries);
  void tell_unjudged(std::string_view path, const base::Error& error) const;
  void keep_house(const std::stop_token& stop);
  void ask_samba_for_clients(const std::stop_token& stop);
  void scan_when_wanted(const std::stop_token& stop);
  // Changes that are not judged yet.
  std::size_t waiting() KURA_EXCLUDES(later_mutex_);
  void write_status();
  void alarm(std::string_view what, const std::string& message);

  const GuardSettings settings_;
  const OnEvent on_event_;
  const Share share_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<SavedFiles> saved_;
  std::optional<IncidentBook> book_;
  ActorTable actors_;
  std::unique_ptr<HeldFiles> held_;
  std::unique_ptr<IncidentCommand> command_;
  std::unique_ptr<Cases> cases_;
  // The scan has judges of its own: they run at its priority, the lowest.
  detect::ConfinedJudge judge_, scan_judge_;
  std::unique_ptr<Judging> judging_, scan_judging_;
  std::vector<std::unique_ptr<base::BoundedQueue<Change>>> queues_;
  std::unique_ptr<NamesWatch> names_;
  std::unique_ptr<OpensWatch> opens_;
  ScanCounts scanned_;
  std::atomic<bool> wants_scan_{true};
  std::atomic<bool> scanning_{false};
  std::atomic<std::uint64_t> judged_{0}, lost_{0}, canaries_{0};
  std::atomic<Clock::rep> told_unsaved_{0};

  base::Mutex later_mutex_;
  std::priority_queue<Later> later_ KURA_GUARDED_BY(later_mutex_);
};

// The folder in which the guard of a share keeps what it knows: the same one for the same folder.
std::string guard_state_folder(const std::string& state_folder, const std::string& folder);

}  // namespace kura::guard
