#include "guard/cases.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/pause.h"
#include "base/time.h"
#include "guard/touched.h"

namespace kura::guard {
namespace {

namespace json = boost::json;

constexpr int kHookTries = 3;
constexpr std::int64_t kPinnedBefore = 3600 * base::kSecond;

bool has_unnamed_client(const Actor& actor) {
  return actor.name().kind == ActorKind::kSamba && actor.name().address.empty();
}

std::vector<Step> stop_at_once(const Actor& actor, const std::vector<ProcessId>& processes) {
  return actor.name().kind == ActorKind::kSamba ? end_sessions(processes) : stop_processes(processes);
}

// Those that came since.
std::vector<Step> stop_others(const std::vector<Step>& stopped, std::vector<ProcessId> processes) {
  std::erase_if(processes,
                [&](const ProcessId& id) { return std::ranges::find(stopped, id, &Step::process) != stopped.end(); });
  return stop_processes(processes);
}

// What was held against him, also under an earlier name of his.
void add_proofs(Incident& incident, const std::vector<Proof>& proofs) {
  for (const Proof& proof : proofs) {
    if (std::ranges::find(incident.proofs, proof.path, &Proof::path) == incident.proofs.end()) {
      incident.proofs.push_back(proof);
    }
    incident.since = std::min(incident.since, proof.time);
  }
}

std::size_t count_saved(const Incident& incident) {
  return static_cast<std::size_t>(
      std::ranges::count_if(incident.files, [](const TouchedFile& file) { return file.saved != 0; }));
}

}  // namespace

Cases::Cases(Parts parts) : parts_(std::move(parts)) {
  responder_ = std::jthread([this](const std::stop_token& stop) {
    while (const auto task = tasks_.pop()) respond(*task, stop);
  });
  teller_ = std::jthread([this](const std::stop_token& stop) {
    while (const auto incident = untold_.pop()) tell_hooks(*incident, stop);
  });
}

Cases::~Cases() {
  tasks_.close();
  untold_.close();
  responder_.request_stop();
  teller_.request_stop();
}

void Cases::tell(std::string_view type, const Actor& actor, json::object more, const std::string& line) {
  json::object event{{"type", type}, {"time", base::format_rfc3339(base::now_ns())}, {"actor", to_json(actor.name())}};
  for (auto& entry : more) event.insert(entry);
  parts_.on_event(event, line);
}

void Cases::write(const Incident& incident) {
  if (const auto written = parts_.book.write(incident); !written) {
    parts_.on_event({{"type", "error"}, {"message", written.error().text()}}, written.error().text());
  }
}

// ---- Signs ----

void Cases::sign(const ActorPointer& given, Sign sign, const std::string& path, std::int64_t time,
                 const std::string& reason) {
  const ActorPointer actor = parts_.actors.current(given);
  {
    const auto state = actor->state.lock();
    state->trial.add(sign, path, time, reason);
    if (is_proof(sign)) state->unsaved = true;
  }
  if (!is_proof(sign)) return;
  actor->watched = true;
  tell("evidence", *actor, {{"sign", name_of(sign)}, {"path", base::utf8_or_escaped(path)}, {"reason", reason}},
       fmt::format("{}: {} ({}): {}", base::printable(path), name_of(sign), actor->name().text(), reason));
  after_sign(actor, time);
}

void Cases::valid(const ActorPointer& given, const std::string& path, std::int64_t time) {
  const ActorPointer actor = parts_.actors.current(given);
  bool retracted = false;
  {
    const auto state = actor->state.lock();
    ++state->valid_changes;
    state->trial.add_valid(path, time);
    retracted = state->trial.retract(path);
    if (retracted || state->valid_changes % 50 == 0) state->unsaved = true;
    if (state->trial.proofs().empty()) actor->watched = false;
    actor->usual = is_usual(*state, parts_.settings.usual, time);
  }
  if (retracted) {
    tell("retracted", *actor, {{"path", base::utf8_or_escaped(path)}},
         fmt::format("{} is whole after all: it was read while it was written", base::printable(path)));
  }
}

void Cases::after_sign(const ActorPointer& actor, std::int64_t now) {
  Task task{.incident = {}, .actor = actor, .steps = {}};
  {
    const base::MutexLock lock(book_mutex_);  // before the actor's, everywhere
    const auto state = actor->state.lock();
    const Standing standing = state->trial.standing(now);
    const bool contain = standing == Standing::kProven && actor->name().kind != ActorKind::kUnseen;
    const bool opens = standing >= Standing::kSuspect && state->incident.empty();
    if (!opens && !(contain && !actor->contained)) return;
    // From here on he opens nothing. Deleting and renaming open nothing: that ends with his processes. All else takes
    // longer.
    if (contain && parts_.settings.contain) {
      actor->contained = true;
      task.steps = stop_at_once(*actor, state->processes);
    }
    if (opens) state->incident = open_incident(actor, *state, now);
    task.incident = state->incident;
    task.contain = contain;
  }
  if (!tasks_.push(std::move(task))) return;
}

std::string Cases::open_incident(const ActorPointer& actor, ActorState& state, std::int64_t now) {
  Incident incident;
  incident.id = parts_.book.new_id(now);
  incident.actor = actor->name();
  incident.share = parts_.settings.folder;
  incident.opened = now;
  incident.since = now;
  add_proofs(incident, state.trial.proofs());
  state.unsaved = true;
  write(incident);
  return incident.id;
}

// ---- Responses ----

void Cases::list_files(Incident& incident) {
  incident.files = touched_files(parts_.memory, incident.actor.key(), incident.since, incident.proofs);
}

void Cases::add_steps(const std::string& id, std::vector<Step> steps, bool contained) {
  const base::MutexLock lock(book_mutex_);
  auto incident = parts_.book.read(id);
  if (!incident) return;
  if (contained && incident->state == IncidentState::kSuspect) incident->state = IncidentState::kContained;
  for (Step& step : steps) incident->steps.push_back(std::move(step));
  list_files(*incident);
  write(*incident);
}

void Cases::tell_hooks(const std::string& id, const std::stop_token& stop) {
  const auto incident = parts_.book.read(id);
  if (!incident) return;
  for (OnIncident* const hook : parts_.hooks) {
    auto told = hook->on_incident(*incident, stop);
    for (int tries = 1; !told && tries < kHookTries && base::pause_for(std::chrono::seconds(tries), stop); ++tries) {
      told = hook->on_incident(*incident, stop);
    }
    add_steps(id, {{"freeze", told.has_value(), told ? *told : told.error().text(), base::now_ns(), {}}}, false);
    if (!told)
      parts_.on_event({{"type", "alarm"}, {"what", "hook"}, {"message", told.error().text()}}, told.error().text());
  }
}

void Cases::respond(const Task& task, const std::stop_token& stop) {
  ActorPointer actor = parts_.actors.current(task.actor);
  for (int i = 0; i < 100 && has_unnamed_client(*actor); ++i) {  // Samba is being asked whose process it is
    if (!base::pause_for(std::chrono::milliseconds(20), stop)) return;
    actor = parts_.actors.current(task.actor);
  }
  const ActorName& name = actor->name();
  std::vector<Step> steps = task.steps;
  if (task.contain && parts_.settings.contain) {
    actor->contained = true;
    steps.insert(steps.begin(), {"refuse_opens", true, name.text() + " opens nothing any more", base::now_ns(), {}});
    std::vector<Step> cut = name.kind == ActorKind::kSamba ? cut_client(name.address, parts_.settings.cut, stop)
                                                           : stop_others(steps, actor->state.lock()->processes);
    std::ranges::move(cut, std::back_inserter(steps));
  } else {
    steps.push_back({"slow", true, "what " + name.text() + " opens waits for the judge", base::now_ns(), {}});
  }
  {
    const base::MutexLock lock(book_mutex_);
    if (auto incident = parts_.book.read(task.incident)) {
      incident->actor = name;
      incident->proofs.clear();
      add_proofs(*incident, actor->state.lock()->trial.proofs());
      write(*incident);
    }
  }
  add_steps(task.incident, std::move(steps), task.contain && parts_.settings.contain);
  const auto incident = parts_.book.read(task.incident);
  if (!incident) return;
  parts_.memory.pin_saved(name.key(), incident->since - kPinnedBefore);
  parts_.on_event(
      to_json(*incident),
      fmt::format("INCIDENT {} ({}): {} of {}; `kura guard status {}` shows it, `kura guard undo` takes it back",
                  incident->id, name_of(incident->state), fmt::format("{} files", incident->proofs.size()), name.text(),
                  incident->id));
  [[maybe_unused]] const bool taken = untold_.push(task.incident);
}

// ---- Over time ----

void Cases::load() {
  for (const auto& [key, facts] : parts_.memory.actors()) {
    const ActorPointer actor = parts_.actors.named(name_of_key(key));
    const auto state = actor->state.lock();
    take_facts(facts, *state);
    actor->watched = !state->trial.proofs().empty();
    actor->usual = is_usual(*state, parts_.settings.usual, base::now_ns());
  }
  for (const Incident& incident : parts_.book.all()) {
    if (incident.state == IncidentState::kUndone) continue;
    const ActorPointer actor = parts_.actors.named(incident.actor);
    if (incident.state == IncidentState::kContained && parts_.settings.contain) actor->contained = true;
    actor->watched = true;
  }
}

void Cases::save_actors() {
  for (const ActorPointer& actor : parts_.actors.all()) {
    if (has_unnamed_client(*actor)) continue;
    const auto state = actor->state.lock();
    if (!std::exchange(state->unsaved, false)) continue;
    parts_.memory.keep_actor(actor->name().key(), facts_of(*state));
  }
}

void Cases::look_for_undone() {
  const base::MutexLock lock(book_mutex_);
  for (Incident& incident : parts_.book.all()) {
    if (incident.state != IncidentState::kUndone) continue;
    const ActorPointer actor = parts_.actors.named(parts_.actors.current_name(incident.actor));
    const auto state = actor->state.lock();
    if (state->incident != incident.id) continue;
    add_proofs(incident, state->trial.proofs());
    list_files(incident);  // the last changes may have been judged only now
    write(incident);
    state->incident.clear();
    state->trial.clear();
    state->unsaved = true;
    actor->contained = false;
    actor->watched = false;
    tell("undone", *actor, {{"incident", incident.id}},
         fmt::format("incident {} is undone: {} is let go", incident.id, actor->name().text()));
  }
}

void Cases::refresh_incidents() {
  const base::MutexLock lock(book_mutex_);
  for (Incident& incident : parts_.book.all()) {
    if (incident.state == IncidentState::kUndone) continue;
    const auto facts = [&] {
      return std::tuple(incident.actor.key(), incident.proofs.size(), incident.files.size(), count_saved(incident));
    };
    const auto before = facts();
    incident.actor = parts_.actors.current_name(incident.actor);
    {
      const auto state = parts_.actors.named(incident.actor)->state.lock();
      if (state->incident == incident.id) add_proofs(incident, state->trial.proofs());
    }
    list_files(incident);
    if (facts() == before) continue;
    parts_.memory.pin_saved(incident.actor.key(), incident.since - kPinnedBefore);
    write(incident);
  }
}

}  // namespace kura::guard
