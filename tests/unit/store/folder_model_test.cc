// The folder store against a map, over random sequences of calls and crashes.
#include <array>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "store/folder_store.h"
#include "support/store/crash_file_system.h"
#include "support/store/sample.h"

namespace kura::store {
namespace {

using base::ErrorCode;

enum class Action { kPut, kGet, kList, kRemove, kSync, kReopen, kCrash };
struct Step {
  Action action;
  std::size_t object;  // which of the objects, for those actions that have one
  std::uint64_t seed;  // of a crash

  friend std::ostream& operator<<(std::ostream& out, const Step& step) {
    constexpr std::array kNames = {"put", "get", "list", "remove", "sync", "reopen", "crash"};
    return out << kNames[static_cast<std::size_t>(step.action)] << ' ' << step.object << ' ' << step.seed;
  }
};

constexpr std::size_t kObjects = 6;
Kind kind_of(std::size_t object) { return object % 2 == 0 ? Kind::kPack : Kind::kSnapshot; }

class Model {
 public:
  Model() : disk_(std::make_unique<CrashFileSystem>()), store_(create_folder_store("/store", *disk_).value()) {
    for (std::size_t i = 0; i < kObjects; ++i) objects_.push_back(sample(i, 50 + 700 * i));
  }

  void run(const Step& step) {
    const Kind kind = kind_of(step.object);
    const Sample& object = objects_[step.object];
    switch (step.action) {
      case Action::kPut:
        RC_ASSERT(store_->put(kind, object.id, object.bytes).has_value());
        present_[step.object] = true;
        change(step.object);
        break;
      case Action::kRemove:
        RC_ASSERT(store_->remove(kind, object.id).has_value());
        present_[step.object] = false;
        change(step.object);
        break;
      case Action::kGet:
        check(step.object);
        break;
      case Action::kList:
        check_lists();
        break;
      case Action::kSync:
        RC_ASSERT(store_->sync().has_value());
        in_doubt_ = left_behind_;
        break;
      case Action::kReopen:  // without a sync: what was put is there, and is as much in doubt as before
        for (std::size_t i = 0; i < kObjects; ++i) left_behind_[i] = left_behind_[i] || in_doubt_[i];
        reopen();
        break;
      case Action::kCrash:
        crash(step.seed);
        break;
    }
  }

  void check_all() {
    for (std::size_t i = 0; i < kObjects; ++i) check(i);
    check_lists();
  }

 private:
  void change(std::size_t i) {
    in_doubt_[i] = true;
    left_behind_[i] = false;
  }

  void check(std::size_t i) {
    const auto found = store_->get(kind_of(i), objects_[i].id, kNoLimit);
    RC_ASSERT(found.has_value() == present_[i]);
    if (found) {
      RC_ASSERT(*found == objects_[i].bytes);
    } else {
      RC_ASSERT(found.error().code() == ErrorCode::kNotFound);
    }
  }

  void check_lists() {
    for (const Kind kind : {Kind::kPack, Kind::kSnapshot}) {
      std::vector<ObjectId> expected;
      for (std::size_t i = 0; i < kObjects; ++i) {
        if (present_[i] && kind_of(i) == kind) expected.push_back(objects_[i].id);
      }
      std::ranges::sort(expected);
      RC_ASSERT(listed(*store_, kind) == expected);
    }
  }

  void reopen() {
    auto again = open_folder_store("/store", *disk_);
    RC_ASSERT(again.has_value());
    store_ = std::move(*again);
  }

  // What was in doubt is whole or absent; the rest is as it was.
  void crash(std::uint64_t seed) {
    auto after = disk_->crash(seed);
    store_.reset();
    disk_ = std::move(after);
    reopen();
    for (std::size_t i = 0; i < kObjects; ++i) {
      if (in_doubt_[i]) present_[i] = store_->stat(kind_of(i), objects_[i].id).has_value();
    }
    in_doubt_.fill(false);
    left_behind_.fill(false);
    check_all();
  }

  std::unique_ptr<CrashFileSystem> disk_;
  std::unique_ptr<Store> store_;
  std::vector<Sample> objects_;
  std::array<bool, kObjects> present_{};
  std::array<bool, kObjects> in_doubt_{};     // changed since the last sync
  std::array<bool, kObjects> left_behind_{};  // changed by a store that was closed without a sync: no sync is owed
};

rc::Gen<Step> any_step() {
  return rc::gen::construct<Step>(
      rc::gen::element(Action::kPut, Action::kPut, Action::kPut, Action::kGet, Action::kList, Action::kRemove,
                       Action::kSync, Action::kReopen, Action::kCrash),
      rc::gen::inRange<std::size_t>(0, kObjects), rc::gen::arbitrary<std::uint64_t>());
}

RC_GTEST_PROP(FolderStoreModel, BehavesAsAMapThatACrashMayRollBackToTheLastSync, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  Model model;
  for (const Step& step : steps) model.run(step);
  model.check_all();
}

}  // namespace
}  // namespace kura::store
