// What speaks against whom, and what is done about it: signs go into the actor's trial; when it stands badly enough, an
// incident is opened, retention is frozen, and on proof the actor is contained. Whoever is to be contained opens
// nothing more from that moment on; the slower steps are done by a thread of this object.
#pragma once

#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "base/time.h"
#include "guard/contain/incident.h"
#include "guard/judge/judging.h"
#include "guard/settings.h"

namespace kura::guard {

class Cases final : public Findings {
 public:
  struct Parts {
    const GuardSettings& settings;
    ActorTable& actors;
    Memory& memory;
    const IncidentBook& book;
    OnEvent on_event;
    std::function<void(Change, std::chrono::milliseconds)> on_later;
    std::vector<OnIncident*> hooks;
  };
  explicit Cases(Parts parts);
  ~Cases() override;

  void sign(const ActorPointer& actor, Sign sign, const std::string& path, std::int64_t time,
            const std::string& reason) override;
  void valid(const ActorPointer& actor, const std::string& path, std::int64_t time) override;
  void later(Change change, std::chrono::milliseconds after) override { parts_.on_later(std::move(change), after); }

  // What earlier runs knew of actors, and whom they contained.
  void load();
  void save_actors();
  // Those that `kura guard undo` marked are let go.
  void look_for_undone();
  // What was found against others may have become his.
  void look_at(const ActorPointer& actor) { after_sign(actor, base::now_ns()); }
  // Lists of touched files grow while incidents are open.
  void refresh_incidents();

 private:
  struct Task {
    std::string incident;
    ActorPointer actor;
    bool contain = false;
    std::vector<Step> steps;  // that were done at once
  };
  void after_sign(const ActorPointer& actor, std::int64_t now);
  std::string open_incident(const ActorPointer& actor, ActorState& state, std::int64_t now) KURA_REQUIRES(book_mutex_);
  void respond(const Task& task, const std::stop_token& stop);
  void add_steps(const std::string& id, std::vector<Step> steps, bool contained);
  void list_files(Incident& incident);
  void tell_hooks(const std::string& id, const std::stop_token& stop);
  void tell(std::string_view type, const Actor& actor, boost::json::object more, const std::string& line);
  void write(const Incident& incident);

  const Parts parts_;
  base::Mutex book_mutex_;  // reading, changing and writing an incident's file
  base::BoundedQueue<Task> tasks_{4096};
  base::BoundedQueue<std::string> untold_{4096};  // incidents, by their ids; a hook may take its time
  std::jthread responder_;
  std::jthread teller_;
};

// What is kept of an actor between starts.
std::string facts_of(const ActorState& state);
void take_facts(std::string_view json, ActorState& state);
ActorName name_of_key(std::string_view key);
bool is_usual(const ActorState& state, const UsualAfter& after, std::int64_t now);

}  // namespace kura::guard
