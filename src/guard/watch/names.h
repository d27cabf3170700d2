// What happens to names in the share: reads the notification group, turns handles into paths, and hands changes on.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "base/mutex.h"
#include "guard/actors/table.h"
#include "guard/watch/change.h"
#include "guard/watch/fanotify.h"
#include "guard/watch/share.h"

namespace kura::guard {

class NamesWatch {
 public:
  using OnChange = std::function<void(Change)>;
  using OnLost = std::function<void()>;  // events were lost: everything has to be looked at

  static base::Result<std::unique_ptr<NamesWatch>> open(const Share& share, ActorTable& actors, OnChange on_change,
                                                        OnLost on_lost);

  // Until the stop; beats `alive` at least each quarter of a second.
  void run(const std::stop_token& stop, std::atomic<std::int64_t>& alive);
  // Waits until everything that happened before this call was handed on. False when the time is over.
  bool catch_up(std::chrono::steady_clock::time_point end) KURA_EXCLUDES(mutex_);

 private:
  NamesWatch(const Share& share, ActorTable& actors, OnChange on_change, OnLost on_lost)
      : share_(share), actors_(actors), on_change_(std::move(on_change)), on_lost_(std::move(on_lost)) {}
  void read_all();
  void take(const fanotify_event_metadata& head);
  void hand_on(const NameEvent& event, pid_t pid, const std::string* at, const std::string* from);
  // Of a folder; nothing when it is not in the share.
  const std::string* folder_of(std::string_view handle);

  const Share& share_;
  ActorTable& actors_;
  const OnChange on_change_;
  const OnLost on_lost_;
  FanotifyGroup group_;
  base::UniqueFd wake_;
  std::string buffer_;
  // Folders by their handles; emptied when a folder is renamed. Foreign ones are remembered, too.
  struct Place {
    bool ours = false;
    std::string path;
  };
  std::unordered_map<std::string, Place> folders_;

  base::Mutex mutex_;
  base::CondVar caught_up_;
  std::uint64_t wanted_ KURA_GUARDED_BY(mutex_) = 0;
  std::uint64_t done_ KURA_GUARDED_BY(mutex_) = 0;
};

}  // namespace kura::guard
