// An attack, as a person is told of it: one JSON file in the folder "incidents" of the state folder, written anew
// whenever something is added, and marked by `kura guard undo`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/error.h"
#include "guard/actors/actor.h"
#include "guard/state/memory.h"

namespace kura::guard {

// Something that was done against the actor, and whether it can be, or was, taken back.
struct Step {
  std::string what;  // "freeze", "slow", "refuse_opens", "block_address", "cut_connections", "kill_client",
                     // "end_session", "stop_process"
  bool done = false;
  std::string detail;
  std::int64_t time = 0;
  ProcessId process;  // of stop_process
};

enum class IncidentState : std::uint8_t { kSuspect, kContained, kUndone };
std::string_view name_of(IncidentState state);

struct TouchedFile {
  Touch touch;
  std::int64_t saved = 0;  // id of the old contents, or 0
  std::string original;    // the name that it had before he touched it first
};

struct Incident {
  std::string id;
  IncidentState state = IncidentState::kSuspect;
  ActorName actor;
  std::string share;  // the folder
  std::int64_t opened = 0;
  std::int64_t since = 0;  // the first suspicious change
  std::vector<Proof> proofs;
  std::vector<Step> steps;
  std::vector<TouchedFile> files;
};

boost::json::object to_json(const Incident& incident);
boost::json::object to_json(const ActorName& actor);
base::Result<Incident> incident_of(std::string_view json);

// The folder of incidents. Calls of several processes go one after the other.
class IncidentBook {
 public:
  static base::Result<IncidentBook> open(const std::string& state_folder);

  base::Status write(const Incident& incident) const;
  base::Result<Incident> read(const std::string& id) const;  // kNotFound; a unique prefix is enough
  std::vector<Incident> all() const;                         // the oldest first
  // An id that is not used yet.
  std::string new_id(std::int64_t now) const;

 private:
  explicit IncidentBook(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

base::Result<std::string> read_whole(const std::string& path);

}  // namespace kura::guard
