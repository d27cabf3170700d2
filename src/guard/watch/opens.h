// Every open of a file in the share waits for this: the handler answers from what is known of the actor, within
// microseconds, and never looks into a file.
//
//   contained           refused
//   reads, usual actor  let through
//   anybody else's write: handed to a lane, which saves the old contents, waits until the actor's last change is
//   judged,
//                       keeps him to so many opens a second, and then answers; all of it within kMostWait.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "guard/actors/table.h"
#include "guard/state/saved_files.h"
#include "guard/watch/answers.h"
#include "guard/watch/fanotify.h"
#include "guard/watch/held.h"
#include "guard/watch/names.h"
#include "guard/watch/share.h"

namespace kura::guard {

enum class OpenDecision : std::uint8_t { kAllow, kRefuse, kLane };
// What is done with an open. `saves_all`: old contents cost next to nothing to keep (reflinks).
OpenDecision decide(const Actor& actor, Access access, bool saves_all);

struct OpenCounts {
  std::atomic<std::uint64_t> opens{0}, refused{0}, delayed{0}, late{0};
};

class OpensWatch {
 public:
  // An old content that could not be saved before its file was opened for writing.
  using OnUnsaved = std::function<void(const Actor&, const std::string& path, SaveResult)>;

  struct Parts {
    const Share& share;
    ActorTable& actors;
    SavedFiles& saved;
    HeldFiles& held;
    NamesWatch& names;
    bool save_all = false;        // of usual actors, too
    bool refuse_unsaved = false;  // instead of letting somebody suspicious write what could not be saved
  };
  static base::Result<std::unique_ptr<OpensWatch>> open(const Parts& parts, OnUnsaved on_unsaved);
  ~OpensWatch();

  // Until the stop; beats `alive` at least each quarter of a second.
  void run(const std::stop_token& stop, std::atomic<std::int64_t>& alive);
  // For the watchdog's thread: opens that wait for too long are let through. How many there were.
  std::size_t let_overdue_through();
  const OpenCounts& counts() const { return counts_; }

  static constexpr std::chrono::milliseconds kMostWait{2500};
  static constexpr std::chrono::milliseconds kOverdue{4000};

 private:
  struct Job {
    base::UniqueFd fd;
    std::string path;
    ActorPointer actor;
  };
  OpensWatch(const Parts& parts, OnUnsaved on_unsaved) : parts_(parts), on_unsaved_(std::move(on_unsaved)) {}
  void take(const fanotify_event_metadata& head);
  void hand_to_lane(Job job);
  void serve_lane();
  bool answer_for(const Job& job, std::chrono::steady_clock::time_point begun);
  void wait_for_judgement(Actor& actor, std::chrono::steady_clock::time_point end);

  const Parts parts_;
  const OnUnsaved on_unsaved_;
  FanotifyGroup group_;
  std::unique_ptr<Answers> answers_;
  OpenCounts counts_;
  base::BoundedQueue<Job> queue_{kQueue};
  std::vector<std::jthread> lanes_;
  std::string buffer_;
  static constexpr std::size_t kQueue = 1024;
  static constexpr int kLanes = 8;
};

}  // namespace kura::guard
