#include "guard/model/trial.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/time.h"

namespace kura::guard {
namespace {

constexpr double kDay = 24.0 * 3600 * base::kSecond;
constexpr double kProofHalfLife = 30 * kDay;
constexpr double kWeakHalfLife = 1 * kDay;
constexpr double kCredit = 0.002;
constexpr std::size_t kMostCredited = 8192;
// One broken file, two of them: less than the sums, since a day or two takes a little off.
constexpr double kWatchedFrom = 4.0;
constexpr double kSuspectFrom = 9.0;

double faded(double value, double age, double half_life) { return value * std::exp2(-std::max(age, 0.0) / half_life); }

double since(std::int64_t then, std::int64_t now) { return static_cast<double>(now - then); }

}  // namespace

std::string_view name_of(Sign sign) {
  switch (sign) {
    case Sign::kBecameBroken:
      return "became_broken";
    case Sign::kReplaced:
      return "replaced";
    case Sign::kCanaryBroken:
      return "canary_broken";
    case Sign::kCanaryGone:
      return "canary_gone";
    case Sign::kCanaryTouched:
      return "canary_touched";
    case Sign::kRandomNew:
      return "random_new";
    case Sign::kSealedNew:
      return "sealed_new";
    case Sign::kExtension:
      return "extension";
    case Sign::kNote:
      return "note";
    case Sign::kDeleted:
      return "deleted";
    case Sign::kRenamed:
      return "renamed";
  }
  std::unreachable();
}

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::kCalm:
      return "calm";
    case Standing::kWatched:
      return "watched";
    case Standing::kSuspect:
      return "suspect";
    case Standing::kProven:
      return "proven";
  }
  std::unreachable();
}

bool is_proof(Sign sign) { return sign <= Sign::kCanaryGone; }

double weight_of(Sign sign) {
  switch (sign) {
    case Sign::kBecameBroken:
    case Sign::kReplaced:
    case Sign::kCanaryGone:
      return 4.9;
    case Sign::kCanaryBroken:
      return 2 * Trial::kBound;
    case Sign::kNote:
      return 1.5;
    case Sign::kCanaryTouched:
    case Sign::kRandomNew:
      return 0.5;
    case Sign::kSealedNew:
    case Sign::kExtension:
      return 0.1;
    case Sign::kDeleted:
    case Sign::kRenamed:
      return 0.02;
  }
  std::unreachable();
}

void Trial::add(Sign sign, std::string_view path, std::int64_t now, std::string reason) {
  if (!is_proof(sign)) {
    weak_ = std::min(kWeakCap, weak(now) + weight_of(sign));
    weak_at_ = now;
    return;
  }
  for (Proof& known : proofs_) {
    if (known.path != path) continue;  // one file proves one thing
    if (weight_of(sign) > weight_of(known.sign)) known.sign = sign;
    return;
  }
  if (proofs_.size() < kMostFiles) proofs_.push_back({sign, std::string(path), now, std::move(reason)});
}

void Trial::add_valid(std::string_view path, std::int64_t now) {
  if (proofs_.empty()) return;
  if (credited_.size() >= kMostCredited) credited_.clear();
  if (!credited_.insert(std::hash<std::string_view>{}(path)).second) return;
  credit_ += kCredit;
  if (proof(now) <= 0) clear();
}

bool Trial::retract(std::string_view path) {
  const bool canary = std::ranges::any_of(proofs_, [&](const Proof& known) {
    return known.path == path && (known.sign == Sign::kCanaryBroken || known.sign == Sign::kCanaryGone);
  });
  if (canary) return false;
  return std::erase_if(proofs_, [&](const Proof& known) { return known.path == path; }) > 0;
}

void Trial::renamed(std::string_view from, std::string_view to) {
  for (Proof& known : proofs_) {
    if (known.path == from) known.path = to;
  }
}

void Trial::absorb(const Trial& other) {
  for (const Proof& known : other.proofs_) add(known.sign, known.path, known.time, known.reason);
  const std::int64_t now = std::max(weak_at_, other.weak_at_);
  weak_ = std::min(kWeakCap, weak(now) + other.weak(now));
  weak_at_ = now;
}

void Trial::clear() { *this = Trial(); }

double Trial::proof(std::int64_t now) const {
  double sum = -credit_;
  for (const Proof& known : proofs_) sum += faded(weight_of(known.sign), since(known.time, now), kProofHalfLife);
  return std::max(sum, 0.0);
}

double Trial::weak(std::int64_t now) const { return faded(weak_, since(weak_at_, now), kWeakHalfLife); }

double Trial::score(std::int64_t now) const { return proof(now) + weak(now); }

Standing Trial::standing(std::int64_t now) const {
  const double proven = proof(now);
  if (proven + weak(now) >= kBound && proven >= kBound - kWeakCap) return Standing::kProven;
  if (proven >= kSuspectFrom) return Standing::kSuspect;
  return proven >= kWatchedFrom ? Standing::kWatched : Standing::kCalm;
}

}  // namespace kura::guard
