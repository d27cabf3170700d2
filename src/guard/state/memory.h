// What the guard remembers between changes and starts, in one SQLite file of its state folder: of each file how it was
// judged, who touched what, which old contents are saved where, the canaries, and what is known of actors.
//
// Shared between threads; each call takes the lock. Writes are gathered and committed by flush(), a few times a second:
// a crash loses the last of them, and the rescan that follows finds these files changed. Nothing here fails towards the
// caller, since no file may wait for a full disk; trouble() tells the first error since it was last asked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "detect/judge/judgement.h"
#include "guard/state/sqlite.h"

namespace kura::guard {

struct Remembered {
  detect::Version version;
  std::uint64_t inode = 0;
  std::int64_t modified = 0;  // ns
  std::int64_t gone = 0;      // when it was deleted, else 0
};

struct Touch {
  std::string path;  // below the share, as all paths here
  std::string from;  // of a rename
  std::string what;  // "created", "written", "deleted", "renamed", "replaced" (by a rename)
  std::int64_t time = 0;
};

struct Saved {
  std::int64_t id = 0;
  std::string path;
  std::string actor;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 0;
  std::int64_t time = 0;  // when it was saved
};

class Memory {
 public:
  static base::Result<std::unique_ptr<Memory>> open(const std::string& path);
  ~Memory();

  std::optional<Remembered> file(const std::string& path);
  void remember(const std::string& path, const Remembered& file);
  // It is deleted; what it was is kept for a while.
  void bury(const std::string& path, std::int64_t time);
  // The file, or all that is below a folder, has another name.
  void move(const std::string& from, const std::string& to, bool folder);
  // The remembered files straight in a folder and below it that are not gone.
  std::vector<std::string> files_below(const std::string& folder);
  std::uint64_t files();

  void touch(const std::string& actor, const Touch& touch);
  std::vector<Touch> touches(const std::string& actor, std::int64_t since, std::size_t most);

  // What was noted of one actor is another one's, by their keys; the former is no more.
  void give_over(const std::string& from, const std::string& to);

  std::int64_t add_saved(const Saved& saved);
  void drop_saved(std::int64_t id);
  // The newest one of that path that was saved at or before `time`.
  std::optional<Saved> saved(const std::string& path, std::int64_t time);
  std::uint64_t saved_bytes();
  // The oldest that no incident needs.
  std::optional<Saved> oldest_saved();
  // Keeps what this actor's changes replaced since then.
  void pin_saved(const std::string& actor, std::int64_t since);

  void set_canary(const std::string& path, bool is_one);
  std::set<std::string> canaries();

  void keep_actor(const std::string& key, const std::string& facts);
  std::map<std::string, std::string> actors();

  std::string fact(const std::string& name);
  void set_fact(const std::string& name, const std::string& value);

  // Commits; drops what is older than it has to be kept. Durable only with `sync`.
  void flush();
  void forget_before(std::int64_t time);
  std::optional<base::Error> trouble();

 private:
  explicit Memory(Sqlite database) : database_(std::move(database)) {}
  // The statement, prepared at its first use.
  Query* query(const char* command) KURA_REQUIRES(mutex_);
  void run(Query* query) KURA_REQUIRES(mutex_);
  bool next(Query* query) KURA_REQUIRES(mutex_);
  void begin() KURA_REQUIRES(mutex_);
  void note(const base::Error& error) KURA_REQUIRES(mutex_);
  std::optional<Saved> one_saved(Query* query) KURA_REQUIRES(mutex_);

  base::Mutex mutex_;
  Sqlite database_ KURA_GUARDED_BY(mutex_);
  std::map<const char*, Query> queries_ KURA_GUARDED_BY(mutex_);
  bool open_ KURA_GUARDED_BY(mutex_) = false;  // a transaction
  std::optional<base::Error> trouble_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::guard
