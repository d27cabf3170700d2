#include "vault/derived/database.h"

#include <algorithm>
#include <utility>

#include "vault/derived/schema.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLongestPause = std::chrono::minutes(5);
constexpr std::size_t kMostWaiting = 64U << 20;  // bytes of what is to be written
constexpr int kMostFailures = 2;                 // of one piece of work, while the connection is well
constexpr std::chrono::seconds kToEnd{3};        // that what waits may take at the end

}  // namespace

Result<std::shared_ptr<Database>> Database::open(Options options) {
  std::shared_ptr<Database> database(new Database(std::move(options)));
  if (database->is_server_) KURA_TRY(check_postgresql(database->options_.address));
  return database;
}

Database::Database(Options options)
    : options_(std::move(options)), is_server_(options_.address.contains("://")), thread_([this] { run(); }) {}

Database::~Database() {
  const base::MutexLock lock(queue_mutex_);
  ending_ = Steady::now() + kToEnd;
  changed_.notify_all();
}

Status Database::connect(bool anew) {
  if (connection_ != nullptr) return {};
  if (anew && !is_server_) KURA_TRY(remove_sqlite(options_.address));
  auto connection =
      KURA_TRY(is_server_ ? connect_postgresql(options_.address, options_.patience) : connect_sqlite(options_.address));
  if (anew && is_server_) KURA_TRY(drop_tables(*connection));
  KURA_TRY(open_tables(*connection, options_.owner, !is_server_));
  connection_ = std::move(connection);
  return {};
}

Status Database::attempt(const Work& work, bool anew) {
  KURA_TRY(connect(anew));
  return work(*connection_);
}

// Why it is not even tried.
std::optional<base::Error> Database::resting() const {
  const base::MutexLock lock(state_mutex_);
  return trouble_ && Steady::now() < retry_at_ ? trouble_ : std::nullopt;
}

void Database::note(const Status& status) {
  if (!status) connection_.reset();
  bool is_news = false;
  {
    const base::MutexLock lock(state_mutex_);
    is_news = trouble_.has_value() == status.has_value();
    if (status) trouble_.reset();
    if (!status) {
      delay_ = is_news ? options_.pause : std::min(delay_ * 2, kLongestPause);
      retry_at_ = Steady::now() + delay_;
      trouble_ = status.error();
    }
  }
  if (is_news && options_.told) options_.told(status ? std::nullopt : std::optional(status.error()));
}

Status Database::now(const Work& work) {
  const base::MutexLock lock(mutex_);
  if (const auto why = resting()) return base::fail(*why);
  Status done = attempt(work, /*anew=*/false);
  if (!done && done.error().code() == ErrorCode::kDamaged) {
    connection_.reset();
    done = attempt(work, /*anew=*/true);
  }
  note(done);
  return done;
}

std::optional<base::Error> Database::trouble() const {
  const base::MutexLock lock(state_mutex_);
  return trouble_;
}

void Database::later(std::size_t bytes, Work work) {
  const base::MutexLock lock(queue_mutex_);
  if (waiting_bytes_ + bytes > kMostWaiting) return;
  waiting_bytes_ += bytes;
  queue_.push_back({.bytes = bytes, .work = std::move(work)});
  changed_.notify_all();
}

bool Database::settled(std::chrono::milliseconds time) {
  const Steady::time_point end = Steady::now() + time;
  const base::MutexLock lock(queue_mutex_);
  while (!queue_.empty() || is_busy_) {
    if (!changed_.wait_until(queue_mutex_, end)) return queue_.empty() && !is_busy_;
  }
  return true;
}

// False at the end.
bool Database::next(Task& task) {
  const base::MutexLock lock(queue_mutex_);
  while (true) {
    if (ending_ && (queue_.empty() || trouble() || Steady::now() >= *ending_)) return false;
    Steady::time_point retry_at;
    {
      const base::MutexLock state(state_mutex_);
      if (trouble_) retry_at = retry_at_;
    }
    if (queue_.empty()) {
      changed_.wait(queue_mutex_);
    } else if (Steady::now() < retry_at) {
      changed_.wait_until(queue_mutex_, retry_at);
    } else {
      break;
    }
  }
  task = std::move(queue_.front());
  queue_.pop_front();
  is_busy_ = true;
  return true;
}

// What failed is tried again, first of all, but what fails for itself does not keep others from their turn for ever.
void Database::finished(Task task, const Status& status) {
  const base::MutexLock lock(queue_mutex_);
  is_busy_ = false;
  if (!status && task.failures < kMostFailures) {
    queue_.push_front(std::move(task));
  } else {
    waiting_bytes_ -= task.bytes;
  }
  changed_.notify_all();
}

void Database::run() {
  Task task;
  while (next(task)) {
    bool was_reached = false;
    const Status status = now([&](Connection& connection) {
      was_reached = true;
      return task.work(connection);
    });
    if (was_reached) ++task.failures;
    finished(std::move(task), status);
    task = {};
  }
}

}  // namespace kura::vault
