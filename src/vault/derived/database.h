// Where a vault remembers what it has derived, so that it need not be derived again: a file of SQLite or a database of
// PostgreSQL. Only a memory: whatever happens to it, callers go on without.
//
//   auto database = KURA_TRY(Database::open({.address = root + "/derived.sqlite", .seed = seed, .owner = key}));
//   database->later([](Connection& connection) { return connection.run(...); });   // soon, on a thread of its own
//
// A failure is told once; until it works again, tries are made at growing intervals. A file that is damaged is removed
// and made anew.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mutex.h"
#include "crypto/keys.h"
#include "vault/derived/connection.h"

namespace kura::vault {

// Shared by threads.
class Database {
 public:
  struct Options {
    std::string address;                    // a URL of PostgreSQL, or the path of a file
    base::Key seed;                         // of the vault: what is remembered is proven by a key derived from it
    crypto::PublicKey owner{};              // the vault's key
    std::chrono::seconds patience{10};      // that nothing may come of a request
    std::chrono::milliseconds pause{1000};  // after a first failure, before the next try; then twice as long each time
    // Called when it begins to fail, and with nothing when it works again; on any thread.
    std::function<void(const std::optional<base::Error>&)> told = {};
  };
  using Work = std::function<base::Status(Connection&)>;

  // kUsage, kUnsupported for an address that can be no database; whether it is there turns out later.
  static base::Result<std::shared_ptr<Database>> open(Options options);
  // Does what waits, if that goes on quickly.
  ~Database();

  // Does it now; the caller waits while others use the database, and at most a few times `patience`. Work may be done
  // twice: when a damaged database has been made anew in between.
  base::Status now(const Work& work);
  // Does it soon, and again after a failure of the connection. Left out when too much waits already; `bytes`: how much
  // memory it holds. Never waits.
  void later(std::size_t bytes, Work work);
  // Returns when nothing waits any more; false when that has not come about in `time`.
  bool settled(std::chrono::milliseconds time);

  // Why it cannot be used at the moment.
  std::optional<base::Error> trouble() const;

  const base::Key& seed() const { return options_.seed; }
  const crypto::PublicKey& owner() const { return options_.owner; }

 private:
  struct Task {
    std::size_t bytes = 0;
    Work work;
    int failures = 0;
  };
  explicit Database(Options options);
  // `anew`: without what is there.
  base::Status connect(bool anew) KURA_REQUIRES(mutex_);
  base::Status attempt(const Work& work, bool anew) KURA_REQUIRES(mutex_);
  std::optional<base::Error> resting() const;
  void note(const base::Status& status) KURA_REQUIRES(mutex_);
  void run();
  bool next(Task& task);
  void finished(Task task, const base::Status& status);

  const Options options_;
  const bool is_server_;

  base::Mutex mutex_;  // held while the connection is used
  std::unique_ptr<Connection> connection_ KURA_GUARDED_BY(mutex_);
  std::chrono::milliseconds delay_ KURA_GUARDED_BY(mutex_){0};

  mutable base::Mutex state_mutex_;
  std::optional<base::Error> trouble_ KURA_GUARDED_BY(state_mutex_);
  std::chrono::steady_clock::time_point retry_at_ KURA_GUARDED_BY(state_mutex_);

  base::Mutex queue_mutex_;
  base::CondVar changed_;
  std::deque<Task> queue_ KURA_GUARDED_BY(queue_mutex_);
  std::size_t waiting_bytes_ KURA_GUARDED_BY(queue_mutex_) = 0;
  bool is_busy_ KURA_GUARDED_BY(queue_mutex_) = false;
  std::optional<std::chrono::steady_clock::time_point> ending_ KURA_GUARDED_BY(queue_mutex_);
  std::jthread thread_;
};

}  // namespace kura::vault
