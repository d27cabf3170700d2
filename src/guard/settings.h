// What `kura guard` is told.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "guard/actors/actor.h"
#include "guard/contain/ladder.h"
#include "guard/state/saved_files.h"

namespace kura::guard {

struct GuardSettings {
  std::string folder;  // the share
  std::string state;   // the guard's own folder
  std::string saved;   // where old contents are kept; "": in the state folder
  SaveBounds bounds;
  std::size_t hold_most = 200'000;  // files whose contents outlive their names
  bool save_all = false;            // old contents also of usual actors' files
  bool refuse_unsaved = false;
  bool opens = true;             // false: only names are watched, and no open waits
  double opens_per_second = 20;  // for writing, of an actor that is not usual
  double opens_at_once = 40;
  UsualAfter usual;
  CutSettings cut;
  bool samba = true;
  bool contain = true;  // false: hard steps are only told of
  std::vector<std::string> on_incident;
  std::shared_ptr<OnIncident> vault;  // may be null: told of incidents too, first of all
};

// An event, as a JSON object and as a line for people. Called from many threads.
using OnEvent = std::function<void(const boost::json::object& event, const std::string& line)>;

// Shared with the watchdog's process: when each of the threads that others wait for was last seen alive, in ns of the
// steady clock; 0 before its first time.
struct Heartbeat {
  std::atomic<std::int64_t> opens{0};
  std::atomic<std::int64_t> names{0};
};

}  // namespace kura::guard
