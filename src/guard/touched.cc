#include "guard/touched.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/time.h"

namespace kura::guard {
namespace {

constexpr std::size_t kMostListed = 20000;
constexpr std::int64_t kLate = 3 * base::kSecond;
constexpr std::int64_t kLedUp = 600 * base::kSecond;

// Follows names, touch by touch.
class Tracing {
 public:
  explicit Tracing(Memory& memory) : memory_(memory) {}

  void add(Touch touch) {
    if (touch.what == "renamed") {
      note_replaced(touch);
      const Name name = now_called(touch.from);
      note_saved(name, touch.from, touch.time);
      names_.erase(touch.from);
      names_[touch.path] = {name.original, touch.time};
      files_.push_back({std::move(touch), 0, name.original});
      return;
    }
    const Name name = now_called(touch.path);
    note_saved(name, touch.path, touch.time);
    if (touch.what == "deleted") names_.erase(touch.path);
    files_.push_back({std::move(touch), 0, name.original});
  }

  std::vector<TouchedFile> take() {
    for (TouchedFile& file : files_) file.saved = saved_[file.original];
    return std::move(files_);
  }

 private:
  struct Name {
    std::string original;
    std::int64_t since = 0;  // it has its name
  };

  Name now_called(const std::string& path) const {
    const auto known = names_.find(path);
    return known == names_.end() ? Name{path} : known->second;
  }

  // Contents are saved before the open that changes them, and deleted ones with the time of their end.
  void note_saved(const Name& name, const std::string& path, std::int64_t time) {
    std::int64_t& known = saved_[name.original];
    if (known != 0) return;
    const auto saved = memory_.saved(path, time);
    // Names are told a moment later than opens. What was saved at the very time of the rename is what it replaced.
    if (saved && saved->time != name.since && saved->time > name.since - kLate) known = saved->id;
  }

  // What something was renamed over went.
  void note_replaced(const Touch& rename) {
    const auto over = memory_.saved(rename.path, rename.time);
    if (!over || over->time != rename.time) return;
    const Name name = now_called(rename.path);
    note_saved(name, rename.path, rename.time);
    files_.push_back({{rename.path, {}, "replaced", rename.time}, 0, name.original});
  }

  Memory& memory_;
  std::map<std::string, Name> names_;  // by what files are called now
  std::map<std::string, std::int64_t> saved_;
  std::vector<TouchedFile> files_;
};

}  // namespace

std::vector<TouchedFile> touched_files(Memory& memory, const std::string& actor, std::int64_t since,
                                       const std::vector<Proof>& proofs) {
  std::vector<Touch> touches = memory.touches(actor, since - kLedUp, kMostListed);
  std::set<std::string> proven;
  std::set<std::string> renamed;
  for (const Proof& proof : proofs) proven.insert(proof.path);
  for (const Touch& touch : touches) renamed.insert(touch.from);
  // Before the first broken contents he may have worked honestly.
  const auto led_up = [&](const Touch& touch) {
    if (touch.what == "created") return renamed.contains(touch.path);
    return touch.what != "written" && (proven.contains(touch.path) || proven.contains(touch.from));
  };
  Tracing tracing(memory);
  for (Touch& touch : touches) {
    if (touch.time >= since || led_up(touch)) tracing.add(std::move(touch));
  }
  return tracing.take();
}

}  // namespace kura::guard
