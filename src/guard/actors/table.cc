#include "guard/actors/table.h"

#include <algorithm>
#include <iterator>

#include "base/time.h"

namespace kura::guard {
namespace {

constexpr std::chrono::seconds kTrusted{1};  // how long a pid is taken for the same process without a look
constexpr std::chrono::seconds kLately{5};   // changes that were under way when a client got its name are judged then
constexpr int kMostAsked = 3;

void add_process_to(Actor& actor, const Process& process) {
  const auto state = actor.state.lock();
  const ProcessId id{process.pid, process.started};
  if (std::ranges::find(state->processes, id) != state->processes.end()) return;
  if (state->processes.size() >= ActorState::kMostProcesses) state->processes.erase(state->processes.begin());
  state->processes.push_back(id);
}

ActorName name_of_local(const Process& process) {
  return {.kind = ActorKind::kLocal,
          .address = {},
          .account = {},
          .share = {},
          .user = process.user,
          .program = process.program,
          .unit = process.unit};
}

// Of a client that is not known yet: each process is one of its own.
ActorName name_of_unnamed(const Process& process) {
  return {.kind = ActorKind::kSamba,
          .address = {},
          .account = std::to_string(process.pid),
          .share = std::to_string(process.started),
          .user = 0,
          .program = {},
          .unit = {}};
}

ActorName name_of_address(const std::string& address) {
  return {
      .kind = ActorKind::kSamba, .address = address, .account = {}, .share = {}, .user = 0, .program = {}, .unit = {}};
}

bool has_client(const Actor& actor) { return !actor.name().address.empty(); }

// Samba, or the kernel, may still tell more of him.
bool has_whole_name(const ActorName& name) {
  return name.kind != ActorKind::kSamba || (!name.address.empty() && !name.account.empty());
}

// One whose session or share is only being made has other names a moment later, and would be another actor by them.
bool is_complete(const SambaClient& client) { return !client.share.empty() && !client.account.starts_with('('); }

void move_over(Actor& from, Actor& to) {
  const auto old_state = from.state.lock();
  const auto state = to.state.lock();
  state->trial.absorb(old_state->trial);
  state->valid_changes += old_state->valid_changes;
  for (const ProcessId& id : old_state->processes) state->processes.push_back(id);
  if (state->processes.size() > ActorState::kMostProcesses) state->processes.erase(state->processes.begin());
  std::ranges::move(old_state->gone, std::back_inserter(state->gone));
  old_state->gone.clear();
  if (state->incident.empty()) state->incident = old_state->incident;
  state->unsaved = true;
  if (from.watched) to.watched = true;
  if (from.contained) to.contained = true;
}

}  // namespace

ActorPointer ActorTable::of(pid_t pid) {
  const base::MutexLock lock(mutex_);
  const auto now = Clock::now();
  const auto known = processes_.find(pid);
  if (known == processes_.end()) return add_process(pid, now);
  if (now - known->second.checked < kTrusted) return known->second.actor;
  const auto started = start_of(pid);
  if (started && *started != known->second.process.started) return add_process(pid, now);
  known->second.checked = now;  // one that is gone may still have changes under way
  return known->second.actor;
}

ActorPointer ActorTable::add_process(pid_t pid, Clock::time_point now) {
  make_room(now);
  Known known{
      .process = process_of(pid).value_or(Process{.pid = pid, .started = 0, .user = 0, .program = {}, .unit = {}}),
      .actor = {},
      .checked = now,
      .address = {}};
  known.unnamed = known.process.is_samba();
  if (known.unnamed) known.address = peer_of(pid, samba_ports_);
  if (const auto last = by_address_.find(known.address); known.unnamed && last != by_address_.end()) {
    known.actor = last->second;
  } else {
    known.actor = named_locked(known.unnamed ? name_of_unnamed(known.process) : name_of_local(known.process));
  }
  add_process_to(*known.actor, known.process);
  ActorPointer actor = known.actor;
  processes_.insert_or_assign(pid, std::move(known));
  return actor;
}

ActorPointer ActorTable::named(const ActorName& name) {
  const base::MutexLock lock(mutex_);
  return named_locked(name);
}

ActorPointer ActorTable::named_locked(const ActorName& name) {
  ActorPointer& actor = actors_[name.key()];
  if (!actor) {
    actor = std::make_shared<Actor>(name, opens_per_second_, opens_at_once_);
    actor->state.lock()->first_seen = base::now_ns();
    if (has_client(*actor)) by_address_.try_emplace(name.address, actor);
  }
  return actor;
}

ActorPointer ActorTable::current(const ActorPointer& actor) {
  const base::MutexLock lock(mutex_);
  ActorPointer is = actor;
  // He may have been a process first, and an address then: the later step is further back.
  for (auto step = became_.begin(); !has_whole_name(is->name()) && step != became_.end(); ++step) {
    if (step->was == is) is = step->is;
  }
  return is;
}

ActorName ActorTable::current_name(const ActorName& name) {
  const base::MutexLock lock(mutex_);
  ActorName is = name;
  for (auto step = became_.begin(); !has_whole_name(is) && step != became_.end(); ++step) {
    if (step->was->name().key() == is.key()) is = step->is->name();
  }
  return is;
}

std::vector<ActorPointer> ActorTable::all() {
  const base::MutexLock lock(mutex_);
  std::vector<ActorPointer> all;
  for (const auto& [key, actor] : actors_) all.push_back(actor);
  return all;
}

std::vector<std::pair<ActorPointer, ActorPointer>> ActorTable::named_lately() {
  const base::MutexLock lock(mutex_);
  std::vector<std::pair<ActorPointer, ActorPointer>> all;
  for (const Became& became : became_) {
    if (Clock::now() - became.when < kLately) all.emplace_back(became.was, became.is);
  }
  return all;
}

ActorTable::Wanted ActorTable::wants_clients() {
  const base::MutexLock lock(mutex_);
  Wanted wanted = Wanted::kNothing;
  for (const auto& [pid, known] : processes_) {
    if (known.unnamed) wanted = std::max(wanted, has_client(*known.actor) ? Wanted::kSoon : Wanted::kNow);
  }
  return wanted;
}

void ActorTable::set_clients(const SambaClients& clients) {
  const base::MutexLock lock(mutex_);
  for (auto& [pid, known] : processes_) {
    if (!known.unnamed) continue;
    if (const auto client = clients.find(pid); client != clients.end() && is_complete(client->second)) {
      name_client(known, {.kind = ActorKind::kSamba,
                          .address = client->second.address,
                          .account = client->second.account,
                          .share = client->second.share,
                          .user = 0,
                          .program = {},
                          .unit = {}});
    } else if (++known.asked >= kMostAsked) {
      name_client(known, name_without_samba(known));
    }
  }
}

// Samba knows no client of it: one that was gone before it was asked, smbd itself, or a program that only has the name.
ActorName ActorTable::name_without_samba(const Known& known) {
  if (known.address.empty()) return name_of_local(known.process);
  if (const auto last = by_address_.find(known.address); last != by_address_.end()) return last->second->name();
  return name_of_address(known.address);
}

void ActorTable::name_client(Known& known, const ActorName& name) {
  known.unnamed = false;
  const ActorPointer old = known.actor;
  known.actor = named_locked(name);
  if (has_client(*known.actor)) by_address_[name.address] = known.actor;
  if (old != known.actor && !has_client(*old)) hand_over(old, known.actor);
  if (has_whole_name(name)) hand_over_address(known.actor);
}

// Whoever came from his address before it was known who he is.
void ActorTable::hand_over_address(const ActorPointer& client) {
  const auto nobody = actors_.find(name_of_address(client->name().address).key());
  if (client->name().kind != ActorKind::kSamba || nobody == actors_.end()) return;
  const ActorPointer was = nobody->second;
  for (auto& [pid, known] : processes_) {
    if (known.actor == was) known.actor = client;
  }
  hand_over(was, client);
}

void ActorTable::hand_over(const ActorPointer& was, const ActorPointer& is) {
  move_over(*was, *is);
  actors_.erase(was->name().key());
  became_.push_back({was, is, Clock::now()});
  if (became_.size() > kMostBecame) became_.pop_front();
}

void ActorTable::make_room(Clock::time_point now) {
  if (processes_.size() < kMostProcesses) return;
  std::erase_if(processes_, [&](const auto& entry) { return now - entry.second.checked > std::chrono::minutes(1); });
  if (processes_.size() >= kMostProcesses) processes_.erase(processes_.begin());
  if (actors_.size() < kMostActors) return;
  by_address_.clear();
  std::erase_if(actors_, [](const auto& entry) {
    return entry.second.use_count() == 1 && !entry.second->watched && !entry.second->usual;
  });
}

}  // namespace kura::guard
