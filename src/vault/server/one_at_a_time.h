// Of each member one thing at a time, where each takes memory: whoever begins another one is turned away.
//
//   const OneAtATime turn(busy, member.machine);
//   if (!turn.is_ours()) ...                       // the one before is not at its end
#pragma once

#include <set>
#include <string>
#include <utility>

#include "base/guarded.h"

namespace kura::vault {

// A turn, which ends with the object. The set is shared by threads and outlives it.
class OneAtATime {
 public:
  using Busy = base::Guarded<std::set<std::string>>;
  OneAtATime(Busy& busy, std::string name)
      : busy_(busy), name_(std::move(name)), is_ours_(busy_.lock()->insert(name_).second) {}
  ~OneAtATime() {
    if (is_ours_) busy_.lock()->erase(name_);
  }
  OneAtATime(const OneAtATime&) = delete;
  OneAtATime& operator=(const OneAtATime&) = delete;

  bool is_ours() const { return is_ours_; }

 private:
  Busy& busy_;
  const std::string name_;
  const bool is_ours_;
};

}  // namespace kura::vault
