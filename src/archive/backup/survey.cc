#include "archive/backup/survey.h"

#include <sys/stat.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace kura::archive {
namespace {

constexpr auto kHeadStart = std::chrono::milliseconds(500);

// Files and their bytes, holes included, as a backup counts what it has done.
class Counter : public WalkVisitor {
 public:
  base::Status enter(const WalkEntry&) override { return {}; }
  base::Status leave() override { return {}; }
  base::Status entry(const WalkEntry& entry) override {
    if (!S_ISREG(entry.status.st_mode)) return {};
    ++files;
    bytes += static_cast<std::uint64_t>(entry.status.st_size);
    return {};
  }
  void problem(const std::string&, base::Error) override {}

  std::uint64_t files = 0, bytes = 0;
};

// False when the stop came first.
bool wait_unless_stopped(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

Survey::Survey(const WalkPlan& plan, const WalkOptions& options, base::Progress& progress, std::stop_token stop)
    : plan_(plan),
      options_(options),
      progress_(progress),
      forward_(std::move(stop), [this] { stop_.request_stop(); }),
      thread_([this] { run(stop_.get_token()); }) {}

Survey::~Survey() { stop_.request_stop(); }

void Survey::run(std::stop_token stop) {
  if (!wait_unless_stopped(kHeadStart, stop)) return;
  Counter counter;
  if (!walk(plan_, options_, counter, std::move(stop))) return;
  progress_.files_total = counter.files;
  progress_.bytes_total = counter.bytes;
}

}  // namespace kura::archive
