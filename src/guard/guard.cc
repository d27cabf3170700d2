#include "guard/guard.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/escape.h"
#include "base/pause.h"
#include "base/time.h"
#include "store/atomic_file.h"

namespace kura::guard {
namespace {

namespace json = boost::json;

constexpr std::size_t kJudges = 2;
constexpr std::size_t kMostWaiting = 32768;     // changes of a judge's queue, and postponed ones
constexpr std::size_t kLookedAtHolds = 100;     // ten times a second
constexpr std::chrono::seconds kAskedAgain{3};  // when it is only to be confirmed whose connections are
constexpr std::int64_t kKeptDays = 90;          // touches, and what deleted files were

std::string what_of(const Change& change, Memory& memory) {
  if (change.what == Change::What::kDeleted) return "deleted";
  if (change.what == Change::What::kRenamed) return "renamed";
  const auto known = memory.file(change.path);
  return known && known->version.size > 0 ? "written" : "created";
}

std::string now_text() { return base::format_rfc3339(base::now_ns()); }

}  // namespace

std::string guard_state_folder(const std::string& state_folder, const std::string& folder) {
  std::error_code code;
  std::string name = std::filesystem::weakly_canonical(folder, code).string();
  for (char& character : name) {
    if (character == '/') character = '-';
  }
  return fmt::format("{}/guard/{}", state_folder, name.empty() ? "-" : name.substr(1));
}

Guard::Guard(GuardSettings settings, OnEvent on_event, Share share)
    : settings_(std::move(settings)),
      on_event_(std::move(on_event)),
      share_(std::move(share)),
      actors_(settings_.opens_per_second, settings_.opens_at_once, settings_.cut.ports),
      judge_([this](std::string_view path, const base::Error& error) { tell_unjudged(path, error); }),
      scan_judge_([this](std::string_view path, const base::Error& error) { tell_unjudged(path, error); }) {}

Guard::~Guard() = default;

base::Result<std::unique_ptr<Guard>> Guard::open(GuardSettings settings, OnEvent on_event) {
  Share share = KURA_TRY(Share::open(settings.folder));
  settings.folder = share.folder();
  std::unique_ptr<Guard> guard(new Guard(std::move(settings), std::move(on_event), std::move(share)));
  KURA_TRY(guard->open_parts());
  return guard;
}

base::Status Guard::open_parts() {
  // A read lease, by which it is seen whether a file is being written, may be broken: then the kernel sends this.
  ::signal(SIGIO, SIG_IGN);
  std::error_code code;
  std::filesystem::create_directories(settings_.state, code);
  if (code) return base::fail(base::Error::from_errno("cannot make " + settings_.state, code.value()));
  ::chmod(settings_.state.c_str(), 0700);
  memory_ = KURA_TRY(Memory::open(settings_.state + "/memory.sqlite"));
  const std::string saved = settings_.saved.empty() ? settings_.state + "/saved" : settings_.saved;
  saved_ = KURA_TRY(SavedFiles::open(saved, settings_.bounds, *memory_));
  memory_->set_fact("saved", saved);
  held_ = std::make_unique<HeldFiles>(share_.root(), HeldFiles::most_possible(settings_.hold_most));
  book_ = KURA_TRY(IncidentBook::open(settings_.state));
  std::vector<OnIncident*> hooks;
  if (settings_.vault) hooks.push_back(settings_.vault.get());
  if (!settings_.on_incident.empty()) {
    command_ = std::make_unique<IncidentCommand>(settings_.on_incident);
    hooks.push_back(command_.get());
  }
  const auto on_later = [this](Change change, std::chrono::milliseconds after) { postpone(std::move(change), after); };
  cases_ = std::make_unique<Cases>(Cases::Parts{settings_, actors_, *memory_, *book_, on_event_, on_later, hooks});
  cases_->load();
  judging_ = std::make_unique<Judging>(Judging::Parts{judge_, share_, *memory_, *saved_, *held_, *cases_});
  scan_judging_ = std::make_unique<Judging>(Judging::Parts{scan_judge_, share_, *memory_, *saved_, *held_, *cases_});
  set_canaries(memory_->canaries());
  for (std::size_t i = 0; i < kJudges; ++i) {
    queues_.push_back(std::make_unique<base::BoundedQueue<Change>>(kMostWaiting));
  }
  names_ = KURA_TRY(
      NamesWatch::open(share_, actors_, [this](Change change) { note_change(std::move(change)); }, [this] { lose(); }));
  if (!settings_.opens) return {};
  const auto on_unsaved = [this](const Actor& actor, const std::string& path, SaveResult why) {
    on_event_({{"type", "unsaved"},
               {"time", now_text()},
               {"path", base::utf8_or_escaped(path)},
               {"why", name_of(why)},
               {"actor", to_json(actor.name())}},
              fmt::format("{}: its contents were not saved before it was opened for writing ({})",
                          base::printable(path), name_of(why)));
  };
  opens_ = KURA_TRY(OpensWatch::open({.share = share_,
                                      .actors = actors_,
                                      .saved = *saved_,
                                      .held = *held_,
                                      .names = *names_,
                                      .save_all = settings_.save_all,
                                      .refuse_unsaved = settings_.refuse_unsaved},
                                     on_unsaved));
  return {};
}

// ---- Changes ----

void Guard::note_change(Change change) {
  change.actor = actors_.current(change.actor);
  ++change.actor->unjudged;
  push(std::move(change));
}

void Guard::push(Change change) {
  auto& queue = *queues_[std::hash<std::string>{}(change.actor->name().key()) % queues_.size()];
  if (queue.size() >= kMostWaiting) {  // never wait here: the kernel's queue would run over instead
    --change.actor->unjudged;
    return lose();
  }
  const ActorPointer actor = change.actor;
  if (!queue.push(std::move(change))) --actor->unjudged;
}

void Guard::tell_unjudged(std::string_view path, const base::Error& error) const {
  on_event_({{"type", "unjudged"},
             {"time", now_text()},
             {"path", base::utf8_or_escaped(path)},
             {"why", base::utf8_or_escaped(error.text())}},
            fmt::format("{}: it could not be judged: {}", base::printable(path), error.text()));
}

void Guard::lose() {
  ++lost_;
  if (!wants_scan_.exchange(true))
    alarm("overflow", "events were lost: more happened than could be taken; everything is looked at anew");
}

void Guard::postpone(Change change, std::chrono::milliseconds after) {
  const base::MutexLock lock(later_mutex_);
  if (later_.size() >= kMostWaiting) return;
  later_.push({Clock::now() + after, std::move(change)});
}

void Guard::push_due() {
  std::vector<Change> due;
  {
    const base::MutexLock lock(later_mutex_);
    while (!later_.empty() && later_.top().when <= Clock::now()) {
      due.push_back(later_.top().change);
      later_.pop();
    }
  }
  for (Change& change : due) {
    ++change.actor->unjudged;
    push(std::move(change));
  }
}

std::size_t Guard::waiting() {
  std::size_t sum = 0;
  for (const ActorPointer& actor : actors_.all()) sum += static_cast<std::size_t>(std::max(0, actor->unjudged.load()));
  const base::MutexLock lock(later_mutex_);
  return sum + later_.size();
}

void Guard::set_canaries(const std::set<std::string>& canaries) {
  judging_->set_canaries(canaries);
  scan_judging_->set_canaries(canaries);
}

void Guard::judge_queue(base::BoundedQueue<Change>& queue) {
  run_behind_others();  // and so do the processes that judge, which it starts
  while (auto change = queue.pop()) {
    const ActorPointer counted = change->actor;
    change->actor = actors_.current(counted);
    if (!change->again && change->attempt == 0) {
      memory_->touch(change->actor->name().key(),
                     {change->path, change->from, what_of(*change, *memory_), change->time});
    }
    judging_->judge(*change);
    ++judged_;
    --counted->unjudged;
  }
}

// ---- Over time ----

void Guard::alarm(std::string_view what, const std::string& message) {
  on_event_({{"type", "alarm"}, {"time", now_text()}, {"what", what}, {"message", message}}, "ALARM: " + message);
}

void Guard::ask_samba_for_clients(const std::stop_token& stop) {
  using Wanted = ActorTable::Wanted;
  bool told = false;
  auto asked = Clock::now();
  while (base::pause_for(std::chrono::milliseconds(20), stop)) {
    const Wanted wanted = actors_.wants_clients();
    if (wanted == Wanted::kNothing || (wanted == Wanted::kSoon && Clock::now() - asked < kAskedAgain)) continue;
    asked = Clock::now();
    const auto clients = ask_samba(settings_.cut.samba_config, stop);
    if (!clients && !std::exchange(told, true)) {
      alarm("samba", "Samba's clients cannot be told apart: " + clients.error().text());
    }
    actors_.set_clients(clients.value_or(SambaClients()));
    for (const ActorPointer& actor : actors_.all()) {
      if (actor->watched) cases_->look_at(actor);
    }
    if (actors_.wants_clients() == Wanted::kNow) base::pause_for(std::chrono::milliseconds(300), stop);
  }
}

void Guard::scan_when_wanted(const std::stop_token& stop) {
  run_at_lowest_priority();
  const ActorPointer unseen = actors_.named(
      {.kind = ActorKind::kUnseen, .address = {}, .account = {}, .share = {}, .user = 0, .program = {}, .unit = {}});
  std::string skip = share_.below(settings_.state).value_or("");
  while (base::pause_for(std::chrono::milliseconds(50), stop)) {
    if (!wants_scan_.exchange(false)) continue;
    scanning_ = true;
    const bool first = memory_->fact("learned").empty();
    const auto done = scan(share_, *memory_, *scan_judging_, unseen, first, skip, scanned_, stop);
    scanning_ = false;
    if (!done) {
      if (!stop.stop_requested()) alarm("scan", "the share could not be looked at: " + done.error().text());
      continue;
    }
    memory_->set_fact("learned", "1");
    memory_->flush();
    on_event_({{"type", "scanned"},
               {"time", now_text()},
               {"files", scanned_.files.load()},
               {"changed", scanned_.changed.load()},
               {"first", first}},
              fmt::format("looked at {} files, {} changed unseen", scanned_.files.load(), scanned_.changed.load()));
  }
}

void Guard::write_status() {
  json::object status{{"type", "status"},
                      {"time", now_text()},
                      {"pid", ::getpid()},
                      {"folder", base::utf8_or_escaped(share_.folder())},
                      {"scanning", scanning_.load()},
                      {"files", memory_->files()},
                      {"held", held_->size()},
                      {"judged", judged_.load()},
                      {"waiting", waiting()},
                      {"canaries", canaries_.load()},
                      {"lost", lost_.load()},
                      {"saved_bytes", saved_->bytes()},
                      {"reflinks", saved_->reflinks()}};
  if (opens_) {
    status["opens"] = opens_->counts().opens.load();
    status["opens_delayed"] = opens_->counts().delayed.load();
    status["opens_refused"] = opens_->counts().refused.load();
    status["opens_late"] = opens_->counts().late.load();
  }
  [[maybe_unused]] const auto written =
      store::write_small_file(settings_.state + "/status.json", base::as_bytes(json::serialize(status) + "\n"));
}

void Guard::keep_house(const std::stop_token& stop) {
  std::int64_t incidents_seen = 0;
  for (std::uint64_t round = 0; base::pause_for(std::chrono::milliseconds(100), stop); ++round) {
    push_due();
    if (opens_ && opens_->let_overdue_through() > 0) {
      alarm("late", "opens waited for too long and were let through; the disk or the guard is too slow");
    }
    held_->let_go(kLookedAtHolds);
    if (round % 5 == 0) {
      cases_->save_actors();
      memory_->flush();
      struct stat facts{};
      const bool there = ::stat((settings_.state + "/incidents").c_str(), &facts) == 0;
      if (there && modified_ns(facts) != std::exchange(incidents_seen, modified_ns(facts))) cases_->look_for_undone();
      if (const auto trouble = memory_->trouble()) alarm("memory", trouble->text());
    }
    if (round % 10 == 0) {
      for (const auto& [was, is] : actors_.named_lately()) {
        memory_->give_over(was->name().key(), is->name().key());
        if (is->watched) was->watched = true;
        judging_->look_after_gone(*was);
      }
    }
    if (round % 20 == 0) {
      for (const ActorPointer& actor : actors_.all()) judging_->look_after_gone(*actor);
      cases_->refresh_incidents();
      auto canaries = memory_->canaries();
      canaries_ = canaries.size();
      set_canaries(canaries);
      write_status();
      memory_->set_fact("alive", now_text());
    }
    if (round % 36000 == 36000 - 1) memory_->forget_before(base::now_ns() - kKeptDays * 86'400 * base::kSecond);
  }
}

base::Status Guard::run(Heartbeat& heartbeat, const std::stop_token& stop) {
  const std::string last_alive = memory_->fact("alive");
  const bool ended_well = memory_->fact("ended") == "1";
  memory_->set_fact("ended", "0");
  memory_->set_fact("alive", now_text());
  memory_->flush();
  if (!last_alive.empty()) {
    alarm(ended_well ? "away" : "crash",
          fmt::format("the guard {}; nobody watched since {}: everything that changed is judged now",
                      ended_well ? "was stopped" : "ended unexpectedly", last_alive));
  }
  std::vector<std::jthread> threads;
  for (auto& queue : queues_) threads.emplace_back([this, &queue] { judge_queue(*queue); });
  threads.emplace_back([this, &heartbeat, stop] { names_->run(stop, heartbeat.names); });
  std::jthread opens;
  if (opens_) opens = std::jthread([this, &heartbeat, stop] { opens_->run(stop, heartbeat.opens); });
  if (settings_.samba) threads.emplace_back([this, stop] { ask_samba_for_clients(stop); });
  threads.emplace_back([this, stop] { scan_when_wanted(stop); });
  write_status();
  on_event_({{"type", "watching"},
             {"time", now_text()},
             {"folder", base::utf8_or_escaped(share_.folder())},
             {"bound", share_.mounted_here()},
             {"opens", opens_ != nullptr},
             {"pid", ::getpid()}},
            fmt::format("watching {}{}", base::printable(share_.folder()),
                        share_.mounted_here()
                            ? " (made a mount of its own: programs that worked in it before have to open it again)"
                            : ""));
  keep_house(stop);
  if (opens.joinable()) opens.join();
  opens_.reset();  // its lanes may wait for the judges
  for (auto& queue : queues_) queue->close();
  threads.clear();
  cases_->save_actors();
  memory_->set_fact("ended", "1");
  memory_->flush();
  return {};
}

}  // namespace kura::guard
