#include "vault/pull/mutual_repair.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "vault/holding/limits.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;

constexpr std::size_t kMostTries = 1000;                 // of objects, each way in a round
constexpr std::uint64_t kMostBytes = 4ULL << 30;         // each way in a round, but for the last object
constexpr std::chrono::hours kBetweenTries{1};           // of an object
constexpr std::chrono::hours kBetweenLooksAtJournal{1};  // from its first entry on

std::unexpected<FetchFailure> blame(Blame whose, base::Error error) {
  return std::unexpected(FetchFailure{.blame = whose, .error = std::move(error)});
}

bool can_be_sent(Kind kind) { return kind != Kind::kLease && kind != Kind::kCondemned; }

}  // namespace

MutualRepair::MutualRepair(Holding& holding, std::string vault)
    : holding_(holding), vault_(std::move(vault)), there_([&holding](Kind kind, const ObjectId& id) {
        return can_be_sent(kind) && holding.stat(kind, id).has_value();
      }) {}

// Now and then the whole journal is looked at, for what has come here only since it was named there.
Fetched<void> MutualRepair::round(Source& source, const FollowedJournal& journal, const std::stop_token& stop,
                                  Done& done) {
  if (const auto now = Steady::now(); now >= next_look_) {
    there_.begin_anew();
    next_look_ = now + kBetweenLooksAtJournal;
  }
  if (there_.seen() != journal.head().sequence) {
    const Status read = journal.for_each([this](const Entry& entry) { there_.take(entry); });
    if (!read) return blame(Blame::kOurs, read.error());
  }
  if (auto repaired = repair_all(Direction::kHere, source, stop, done); !repaired) return repaired;
  return repair_all(Direction::kThere, source, stop, done);
}

// What all others lean on comes first.
std::vector<MutualRepair::Object> MutualRepair::due(Direction direction) {
  std::vector<Object> all;
  if (direction == Direction::kHere) {
    for (const Damage& damage : holding_.damage()) all.push_back({.kind = damage.kind, .id = damage.id});
  } else {
    for (const auto& [id, kind] : there_.objects()) all.push_back({.kind = kind, .id = id});
  }
  Waiting& waiting = waiting_of(direction);
  std::erase_if(waiting, [now = Steady::now()](const auto& one) { return one.second <= now; });
  std::erase_if(all, [&](const Object& object) { return waiting.contains(object.id); });
  std::ranges::sort(all, {}, &Object::kind);
  if (all.size() > kMostTries) all.resize(kMostTries);
  return all;
}

// The line's fault ends the round only when nothing comes over it: an object that cannot be read there cuts its answer.
Fetched<void> MutualRepair::repair_all(Direction direction, Source& source, const std::stop_token& stop, Done& done) {
  std::uint64_t bytes = 0;
  for (const Object& object : due(direction)) {
    if (bytes >= kMostBytes) return {};
    if (stop.stop_requested()) return blame(Blame::kLine, {ErrorCode::kInterrupted, "interrupted"});
    waiting_of(direction)[object.id] = Steady::now() + kBetweenTries;
    const bool is_here = direction == Direction::kHere;
    const Fetched<bool> repaired = is_here ? fetch(source, object, bytes) : send(source, object, bytes);
    if (repaired) {
      if (*repaired) ++(is_here ? done.here : done.there);
      continue;
    }
    const FetchFailure& failure = repaired.error();
    if (failure.blame == Blame::kOurs || failure.error.code() == ErrorCode::kInterrupted) {
      return std::unexpected(failure);
    }
    if (failure.blame != Blame::kLine || failure.error.code() == ErrorCode::kDenied) continue;
    if (const auto answers = source.time(); !answers) return std::unexpected(answers.error());
  }
  return {};
}

Fetched<bool> MutualRepair::fetch(Source& source, const Object& object, std::uint64_t& bytes) {
  const auto size = source.size_of(holding_.name(), object.kind, object.id);
  if (!size) return std::unexpected(size.error());
  if (*size > limit_of(object.kind)) {
    return blame(Blame::kSource,
                 {ErrorCode::kDamaged, fmt::format("a {} of {} bytes is too large", name_of(object.kind), *size)});
  }
  bytes += *size;
  const auto right = source.object(holding_.name(), object.kind, object.id, *size);
  if (!right) return std::unexpected(right.error());
  const Status repaired = holding_.repair(object.kind, object.id, *right, vault_);
  if (repaired) return true;
  // It went, or somebody else has put it right.
  if (!holding_.is_damaged(object.kind, object.id)) return false;
  return blame(Blame::kOurs, repaired.error());
}

// False when it is not here, or not whole: then that is damage here.
Fetched<bool> MutualRepair::send(Source& source, const Object& object, std::uint64_t& bytes) {
  const Result<base::Bytes> own = holding_.read(object.kind, object.id);
  if (!own && own.error().code() == ErrorCode::kDamaged) {
    const Status told = holding_.found_damaged(object.kind, object.id, own.error().message());
    if (!told) return blame(Blame::kOurs, told.error());
  }
  if (!own) return false;
  bytes += own->size();
  const auto sent = source.repair(holding_.name(), object.kind, object.id, *own);
  if (!sent) return std::unexpected(sent.error());
  return true;
}

}  // namespace kura::vault
