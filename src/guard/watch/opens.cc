#include "guard/watch/opens.h"

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <fmt/format.h>

namespace kura::guard {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kMostJudging{1500};
constexpr std::chrono::milliseconds kMostDelay{1000};
constexpr std::chrono::milliseconds kMostNaming{1000};

bool has_no_name(const Actor& actor) { return actor.name().kind == ActorKind::kSamba && actor.name().address.empty(); }

std::string path_of(int fd) {
  std::array<char, 4096> link{};
  const ssize_t got = ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), link.data(), link.size());
  return std::string(link.data(), static_cast<std::size_t>(got > 0 ? got : 0));
}

}  // namespace

OpenDecision decide(const Actor& actor, Access access, bool saves_all) {
  if (actor.contained) return OpenDecision::kRefuse;
  if (access == Access::kRead) return OpenDecision::kAllow;
  return actor.usual && !actor.watched && !saves_all ? OpenDecision::kAllow : OpenDecision::kLane;
}

base::Result<std::unique_ptr<OpensWatch>> OpensWatch::open(const Parts& parts, OnUnsaved on_unsaved) {
  std::unique_ptr<OpensWatch> watch(new OpensWatch(parts, std::move(on_unsaved)));
  watch->group_ = KURA_TRY(open_permission_group(parts.share.folder()));
  watch->answers_ = std::make_unique<Answers>(watch->group_.fd.get());
  watch->buffer_.resize(kFanotifyBuffer);
  OpensWatch* const self = watch.get();
  for (int i = 0; i < kLanes; ++i) watch->lanes_.emplace_back([self] { self->serve_lane(); });
  return watch;
}

OpensWatch::~OpensWatch() {
  queue_.close();
  lanes_.clear();
  if (answers_) answers_->let_through(Clock::now());
}

void OpensWatch::run(const std::stop_token& stop, std::atomic<std::int64_t>& alive) {
  // Whoever opens a file waits for this thread. Without CAP_SYS_NICE it is one among others.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), -15);
  while (!stop.stop_requested()) {
    alive = Clock::now().time_since_epoch().count();
    pollfd waiting{.fd = group_.fd.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 200) <= 0) continue;
    const ssize_t got = ::read(group_.fd.get(), buffer_.data(), buffer_.size());
    if (got <= 0) continue;
    for_each_event(std::span(buffer_.data(), static_cast<std::size_t>(got)),
                   [this](const fanotify_event_metadata& head) { take(head); });
  }
}

void OpensWatch::take(const fanotify_event_metadata& head) {
  if (head.fd < 0) return;
  base::UniqueFd fd(head.fd);
  ++counts_.opens;
  const ActorPointer actor = parts_.actors.of(head.pid);
  const bool saves_all = parts_.save_all || parts_.saved.reflinks();
  // A usual actor's reads and writes end alike: there is no need to know which it is.
  const bool spared = actor->usual && !actor->watched && !saves_all;
  const Access access = spared || actor->contained ? Access::kRead : access_of(head.pid);
  const OpenDecision decision = decide(*actor, access, saves_all);
  if (decision != OpenDecision::kLane) {
    answers_->answer(fd.get(), decision == OpenDecision::kAllow);
    if (decision == OpenDecision::kRefuse) {
      ++counts_.refused;
      return;
    }
  }
  if (decision != OpenDecision::kLane) return parts_.held.hold(fd.get());
  auto path = parts_.share.below(path_of(fd.get()));
  hand_to_lane({std::move(fd), std::move(path).value_or(std::string()), actor});
}

void OpensWatch::hand_to_lane(Job job) {
  if (queue_.size() + kLanes >= kQueue) {  // only this thread pushes
    answers_->answer(job.fd.get(), true);
    on_unsaved_(*job.actor, job.path, SaveResult::kLate);
    return;
  }
  answers_->wait(job.fd.get(), Clock::now());
  [[maybe_unused]] const bool taken = queue_.push(std::move(job));
}

void OpensWatch::serve_lane() {
  while (auto job = queue_.pop()) {
    const auto begun = Clock::now();
    const bool allow = answer_for(*job, begun);
    if (!answers_->end_wait(job->fd.get(), allow)) ++counts_.late;
    if (!allow) ++counts_.refused;
    if (Clock::now() - begun > std::chrono::milliseconds(5)) ++counts_.delayed;
    if (allow) parts_.held.hold(job->fd.get());
  }
}

bool OpensWatch::answer_for(const Job& job, Clock::time_point begun) {
  // A client's first change waits until it is known whose it is.
  ActorPointer actor = parts_.actors.current(job.actor);
  while (has_no_name(*actor) && Clock::now() < begun + kMostNaming) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    actor = parts_.actors.current(job.actor);
  }
  const SaveResult result = parts_.saved.save(job.fd.get(), job.path, actor->name().key(), begun + kMostWait);
  const bool unsaved = result > SaveResult::kEmpty;
  if (unsaved) on_unsaved_(*actor, job.path, result);
  if (!actor->usual || actor->watched) {
    wait_for_judgement(*actor, std::min(begun + kMostWait, Clock::now() + kMostJudging));
    actor = parts_.actors.current(actor);
    const auto delay = actor->state.lock()->bucket.take(Clock::now(), kMostDelay);
    if (delay > Clock::duration::zero())
      std::this_thread::sleep_until(std::min(begun + kMostWait, Clock::now() + delay));
    actor = parts_.actors.current(actor);
  }
  if (actor->contained) return false;
  return !(unsaved && parts_.refuse_unsaved && actor->watched);
}

// Until all that he changed before this open is judged: so an attack is never more than one file ahead of the judge.
void OpensWatch::wait_for_judgement(Actor& actor, Clock::time_point end) {
  parts_.names.catch_up(end);
  while (actor.unjudged > 0 && !actor.contained && Clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::size_t OpensWatch::let_overdue_through() { return answers_->let_through(Clock::now() - kOverdue); }

}  // namespace kura::guard
