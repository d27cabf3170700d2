#include "vault/pull/repository_follower.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "archive/format/snapshot.h"
#include "base/guarded.h"
#include "base/parallel.h"
#include "base/time.h"
#include "store/atomic_file.h"

namespace kura::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kCommitsAtATime = 1000;
constexpr std::size_t kMostAlarms = 100;
constexpr int kLineFailures = 3;  // in a row, of one snapshot while all else came, until it counts as not delivered
constexpr std::chrono::seconds kRetrySoon{30};
constexpr std::chrono::hours kRetryLater{1};
constexpr std::uint64_t kMarkLimit = 64U << 10;  // bytes

std::unexpected<FetchFailure> ours(Error error) {
  return std::unexpected(FetchFailure{.blame = Blame::kOurs, .error = std::move(error)});
}
std::unexpected<FetchFailure> theirs(Error error) {
  return std::unexpected(FetchFailure{.blame = Blame::kSource, .error = std::move(error)});
}

}  // namespace

PullCounts& PullCounts::operator+=(const PullCounts& more) {
  commits += more.commits;
  objects += more.objects;
  bytes += more.bytes;
  alarms += more.alarms;
  repaired_here += more.repaired_here;
  repaired_there += more.repaired_there;
  behind += more.behind;
  waiting += more.waiting;
  return *this;
}

RepositoryFollower::RepositoryFollower(FollowedRepository repository, const Options& options)
    : repository_(std::move(repository)),
      options_(options),
      holding_(*repository_.holding),
      alarms_(holding_, repository_.vault),
      silence_(options.silence, Silence::Clock::now()),
      repair_(holding_, repository_.vault) {}

Result<std::unique_ptr<RepositoryFollower>> RepositoryFollower::open(FollowedRepository repository,
                                                                     const Options& options) {
  KURA_TRY(store::posix_file_system().make_folder(repository.folder));
  std::unique_ptr<RepositoryFollower> follower(new RepositoryFollower(std::move(repository), options));
  KURA_TRY(follower->alarms_.load());
  follower->load_told();
  return follower;
}

std::optional<std::string> RepositoryFollower::stopped() const {
  const auto text = store::posix_file_system().read_all(path(".stopped"), kMarkLimit);
  if (text) return std::string(base::as_text(*text));
  if (text.error().code() == ErrorCode::kNotFound) return std::nullopt;
  return text.error().message();
}

// The alarm comes first: after a crash in between, the same is found again and not told twice.
Status RepositoryFollower::stop_following(const std::string& why) {
  journal_.reset();
  KURA_TRY(alarms_.raise(why));
  return store::write_small_file(path(".stopped"), base::as_bytes(why));
}

Fetched<void> RepositoryFollower::round(Source& source, std::int64_t now, const std::stop_token& stop,
                                        PullCounts& counts) {
  if (stopped()) return {};
  if (!journal_) {
    auto opened = FollowedJournal::open(path(".journal"), repository_.key);
    if (!opened) return ours(std::move(opened).error());
    journal_ = *std::move(opened);
    seen_ = looked_at_ = 0;
    repair_.begin_anew();
    if (const Status loaded = alarms_.load(); !loaded) return ours(loaded.error());
  }
  const auto goes_on = follow_journal(source, counts);
  if (!goes_on) return std::unexpected(journal_failure(goes_on.error(), counts));
  if (!*goes_on) return {};
  silence_.heard(Silence::Clock::now(), now);
  if (const Status told = tell_frozen(counts); !told) return ours(told.error());
  if (auto repaired = repair_damage(source, counts, stop); !repaired) return repaired;
  if (auto fetched = fetch_wanted(source, counts, stop); !fetched) return fetched;
  if (!journal_) return {};
  if (auto told = tell_undelivered(source, counts); !told) return told;
  if (!journal_) return {};
  if (const Status counted = count_behind(counts); !counted) return ours(counted.error());
  if (const Status told = tell_quiet(now, counts); !told) return ours(told.error());
  return tell_copies(source);
}

// Before what is new: that leans on what is here.
Fetched<void> RepositoryFollower::repair_damage(Source& source, PullCounts& counts, const std::stop_token& stop) {
  MutualRepair::Done done;
  auto repaired = repair_.round(source, *journal_, stop, done);
  counts.repaired_here += done.here;
  counts.repaired_there += done.there;
  return repaired;
}

// All that its journal says, some at a time. What cannot be had now is left for later.
Fetched<void> RepositoryFollower::fetch_wanted(Source& source, PullCounts& counts, const std::stop_token& stop) {
  undelivered_.clear();
  while (journal_->head().sequence != seen_ || !waiting_.empty()) {
    const Result<Wanted> wanted = this->wanted();
    if (!wanted) return ours(wanted.error());
    if (wanted->empty()) return {};
    if (auto taken = take_objects(source, *wanted, counts); !taken) return taken;
    if (!journal_) return {};
    if (auto taken = take_commits(source, *wanted, counts, stop); !taken) return taken;
  }
  return {};
}

// A vault that answers, but not with its journal, has something to hide or has lost it.
FetchFailure RepositoryFollower::journal_failure(FetchFailure failure, PullCounts& counts) {
  if (failure.blame != Blame::kSource) return failure;
  const auto told =
      alarms_.raise(fmt::format("its journal does not come from it: {}", base::name_of(failure.error.code())));
  if (!told) return {.blame = Blame::kOurs, .error = told.error()};
  if (*told) ++counts.alarms;
  return failure;
}

// What made that vault keep everything is a reason to keep everything here. Its thaw is none to let go: whoever has
// that vault could write one.
Status RepositoryFollower::tell_frozen(PullCounts& counts) {
  if (journal_->head().sequence == looked_at_ || holding_.is_frozen()) return {};
  std::optional<std::string> why;
  KURA_TRY(journal_->for_each([&](const Entry& entry) {
    if (entry.event.type == EventType::kThaw) why.reset();
    if (entry.event.type != EventType::kFreeze) return;
    why = fmt::format("it was frozen there by entry {}: {}", entry.sequence, entry.event.text);
  }));
  if (why && KURA_TRY(alarms_.raise(*why))) ++counts.alarms;
  looked_at_ = journal_->head().sequence;
  return {};
}

Result<bool> RepositoryFollower::tell_silence() {
  if (stopped() || !silence_.is_news(Silence::Clock::now())) return false;
  return alarms_.raise(fmt::format("silence: nothing has been heard of it for a time, or its clock stands still, at {}",
                                   base::format_rfc3339(holding_.now())));
}

// False when it does not go on, which has been told.
Fetched<bool> RepositoryFollower::follow_journal(Source& source, PullCounts& counts) {
  while (true) {
    const auto piece = source.journal(holding_.name(), journal_->next_from());
    if (!piece) return std::unexpected(piece.error());
    const auto taken = journal_->take(*piece);
    if (!taken && taken.error().code() == ErrorCode::kUnsupported) {
      return std::unexpected(FetchFailure{.blame = Blame::kLine, .error = taken.error()});
    }
    if (!taken) return ours(taken.error());
    if (taken->continuation != Continuation::kGoesOn) {
      ++counts.alarms;
      const Status stopped = stop_following(fmt::format("{}: {}", name_of(taken->continuation), taken->why));
      if (!stopped) return ours(stopped.error());
      return false;
    }
    if (taken->entries == 0) return true;
  }
}

bool RepositoryFollower::is_settled(Kind kind, const ObjectId& id) const {
  const auto waiting = waiting_.find(id);
  if (waiting != waiting_.end() && Steady::now() < waiting->second.until) return true;
  return kind == Kind::kSnapshot ? holding_.knows(id) : holding_.stat(kind, id).has_value();
}

Result<Wanted> RepositoryFollower::wanted() {
  WantedScan scan([this](Kind kind, const ObjectId& id) { return is_settled(kind, id); }, kCommitsAtATime);
  KURA_TRY(journal_->for_each([&](const Entry& entry) { scan.take(entry); }));
  return std::move(scan).finish();
}

// What a failure of one object or snapshot means: an error ends the round.
Fetched<void> RepositoryFollower::put_off(Source& source, const ObjectId& id, const FetchFailure& failure) {
  const ErrorCode code = failure.error.code();
  if (failure.blame == Blame::kOurs && code == ErrorCode::kConflict) {  // it leans on what is behind a barrier here
    waiting_[id].until = Steady::now() + kRetryLater;
    return {};
  }
  if (failure.blame == Blame::kOurs || code == ErrorCode::kInterrupted) return std::unexpected(failure);
  if (failure.blame == Blame::kLine) {
    if (auto answers = source.time(); !answers) return std::unexpected(answers.error());
  }
  Waiting& waiting = waiting_[id];
  ++waiting.failures;
  const bool is_theirs = failure.blame == Blame::kSource || waiting.failures >= kLineFailures;
  waiting.until = Steady::now() + (is_theirs ? Steady::duration(kRetryLater) : Steady::duration(kRetrySoon));
  if (is_theirs) undelivered_[id] = base::name_of(code);
  return {};
}

// The config and the keys. Without the right config nothing else is right.
Fetched<void> RepositoryFollower::take_objects(Source& source, const Wanted& wanted, PullCounts& counts) {
  for (const WantedObject& object : wanted.objects) {
    const Status may = holding_.may_send(object.kind, object.id, object.size);
    if (!may && may.error().code() == ErrorCode::kExists) {
      ++counts.alarms;
      const Status stopped = stop_following("its repository of this name is another one than the one here");
      if (!stopped) return ours(stopped.error());
      return {};
    }
    auto bytes = may ? source.object(holding_.name(), object.kind, object.id, object.size) : theirs(may.error());
    if (!bytes) {
      if (auto go_on = put_off(source, object.id, bytes.error()); !go_on) return go_on;
      continue;
    }
    const Status put = holding_.put(object.kind, object.id, *bytes, repository_.vault);
    ++counts.objects;
    if (put) continue;
    const ErrorCode code = put.error().code();
    // A key that the recovery key did not sign counts for nothing there or here.
    const bool is_theirs = code == ErrorCode::kDenied || code == ErrorCode::kDamaged || code == ErrorCode::kUnsupported;
    if (!is_theirs) return ours(put.error());
    waiting_[object.id].until = Steady::now() + kRetryLater;
    if (object.kind == Kind::kConfig) undelivered_[object.id] = base::name_of(code);
  }
  return {};
}

Fetched<void> RepositoryFollower::take_commits(Source& source, const Wanted& wanted, PullCounts& counts,
                                               const std::stop_token& stop) {
  for (const WantedObject& commit : wanted.commits) {
    if (stop.stop_requested()) {
      return std::unexpected(FetchFailure{.blame = Blame::kLine, .error = {ErrorCode::kInterrupted, "interrupted"}});
    }
    const auto taken = take_commit(source, commit, counts);
    if (taken) {
      silence_.came(Steady::now());
      waiting_.erase(commit.id);
      continue;
    }
    if (auto go_on = put_off(source, commit.id, taken.error()); !go_on) return go_on;
  }
  return {};
}

// Nothing that a snapshot names is fetched before it is known that a machine of this repository has signed it.
Fetched<void> RepositoryFollower::take_commit(Source& source, const WantedObject& commit, PullCounts& counts) {
  const Status may = holding_.may_send(Kind::kSnapshot, commit.id, commit.size);
  if (!may) return may.error().code() == ErrorCode::kUsage ? theirs(may.error()) : ours(may.error());
  const auto object = source.object(holding_.name(), Kind::kSnapshot, commit.id, commit.size);
  if (!object) return std::unexpected(object.error());
  const auto snapshot = archive::Snapshot::decode(*object, nullptr);
  if (!snapshot) return theirs(snapshot.error());
  Result<Missing> missing = holding_.missing(*snapshot);
  if (missing && !missing->indexes.empty()) {
    std::vector<ObjectInfo> indexes;
    for (const ObjectId& id : missing->indexes) indexes.push_back({.id = id});
    if (auto fetched = fetch_all(source, Kind::kIndex, indexes, counts); !fetched) return fetched;
    missing = holding_.missing(*snapshot);
  }
  if (!missing) return missing.error().code() == ErrorCode::kIo ? ours(missing.error()) : theirs(missing.error());
  if (auto fetched = fetch_all(source, Kind::kPack, missing->packs, counts); !fetched) return fetched;
  const auto receipt = holding_.commit(commit.id, *object, repository_.vault);
  if (!receipt) return ours(receipt.error());
  ++counts.commits;
  counts.bytes += object->size();
  return {};
}

Fetched<void> RepositoryFollower::fetch_all(Source& source, Kind kind, const std::vector<ObjectInfo>& objects,
                                            PullCounts& counts) {
  base::Guarded<std::optional<FetchFailure>> failure;
  base::Guarded<PullCounts> fetched;
  const Status status = base::each_on_threads(objects.size(), options_.connections, [&](std::size_t i) -> Status {
    const auto bytes = fetch(source, kind, objects[i]);
    if (!bytes) {
      const auto first = failure.lock();
      if (!*first) *first = bytes.error();
      return base::fail(bytes.error().error);
    }
    const auto count = fetched.lock();
    ++count->objects;
    count->bytes += *bytes;
    return {};
  });
  counts.objects += fetched.lock()->objects;
  counts.bytes += fetched.lock()->bytes;
  if (!status) return std::unexpected(**failure.lock());
  return {};
}

// The size of a pack is what its index says; of an index only the followed vault can tell. Returns it.
Fetched<std::uint64_t> RepositoryFollower::fetch(Source& source, Kind kind, ObjectInfo object) {
  if (kind == Kind::kIndex) {
    const auto size = source.size_of(holding_.name(), kind, object.id);
    if (!size) return size;
    object.size = *size;
  }
  const Status may = holding_.may_send(kind, object.id, object.size);
  if (!may) return may.error().code() == ErrorCode::kUsage ? theirs(may.error()) : ours(may.error());
  const auto upload = holding_.upload(kind, object.id, object.size);
  if (!upload) return ours(upload.error());
  const auto streamed = source.stream(holding_.name(), kind, object.id, object.size, **upload);
  if (!streamed) return std::unexpected(streamed.error());
  holding_.uploaded(kind, object.id, object.size);
  return object.size;
}

// What was let go of there in the meantime is no fault.
Fetched<void> RepositoryFollower::tell_undelivered(Source& source, PullCounts& counts) {
  if (undelivered_.empty()) return {};
  const auto goes_on = follow_journal(source, counts);
  if (!goes_on) return std::unexpected(goes_on.error());
  if (!*goes_on) return {};
  WantedScan scan([this](Kind, const ObjectId& id) { return !undelivered_.contains(id); }, undelivered_.size());
  const Status read = journal_->for_each([&](const Entry& entry) { scan.take(entry); });
  if (!read) return ours(read.error());
  Wanted owed = std::move(scan).finish();
  owed.commits.insert(owed.commits.end(), owed.objects.begin(), owed.objects.end());
  for (const WantedObject& object : owed.commits) {
    const auto is_new =
        alarms_.raise(fmt::format("{} {}, which its journal has, does not come from it: {}",
                                  store::name_of(object.kind), object.id.hex(), undelivered_.at(object.id)));
    if (!is_new) return ours(is_new.error());
    if (*is_new) ++counts.alarms;
  }
  if (alarms_.raised() <= kMostAlarms) return {};
  ++counts.alarms;
  const Status stopped = stop_following("garbage: its journal names many objects that do not come from it");
  if (!stopped) return ours(stopped.error());
  return {};
}

Status RepositoryFollower::count_behind(PullCounts& counts) {
  if (waiting_.empty()) {
    seen_ = journal_->head().sequence;
    return {};
  }
  WantedScan scan([this](Kind kind, const ObjectId& id) { return kind != Kind::kSnapshot || holding_.knows(id); },
                  kCommitsAtATime);
  KURA_TRY(journal_->for_each([&](const Entry& entry) { scan.take(entry); }));
  const Wanted left = std::move(scan).finish();
  counts.behind = left.commits.size();
  if (counts.behind == 0) {
    waiting_.clear();
    seen_ = journal_->head().sequence;
  }
  return {};
}

Status RepositoryFollower::tell_quiet(std::int64_t now, PullCounts& counts) {
  const std::int64_t newest = journal_->head().time;
  if (options_.quiet.count() == 0 || newest <= 0 || now < newest) return {};
  if (now - newest < std::chrono::nanoseconds(options_.quiet).count()) return {};
  if (KURA_TRY(alarms_.raise("nothing new has come there since " + base::format_rfc3339(newest)))) ++counts.alarms;
  return {};
}

Status accept_followed(const FollowedRepository& repository, const std::string& who, const std::string& why) {
  const std::string path = repository.folder + "/" + repository.vault;
  if (::access((path + ".stopped").c_str(), F_OK) != 0) {
    return base::fail(ErrorCode::kNotFound,
                      fmt::format("the repository {} is followed from {}: there is nothing to accept",
                                  repository.holding->name(), repository.vault));
  }
  KURA_TRY(Alarms(*repository.holding, repository.vault).accept(who, why));
  const std::string aside = fmt::format("{}.journal.until-{}", path, repository.holding->now());
  if (::rename((path + ".journal").c_str(), aside.c_str()) != 0 && errno != ENOENT) {
    return base::fail(Error::from_errno("cannot rename " + path + ".journal", errno));
  }
  KURA_TRY(store::posix_file_system().remove(path + ".stopped"));
  return store::posix_file_system().sync_folder(repository.folder + "/.");
}

}  // namespace kura::vault
