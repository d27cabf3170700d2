#include "guard/state/memory.h"

#include <sys/stat.h>

#include <cstring>

namespace kura::guard {
namespace {

constexpr const char* kSchema =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8192;"
    "CREATE TABLE IF NOT EXISTS files(path BLOB PRIMARY KEY, inode INT, size INT, modified INT, gone INT, verdict INT,"
    " kind BLOB, blocks INT, uniform INT, random BLOB) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS touches(actor BLOB, time INT, path BLOB, origin BLOB, what BLOB);"
    "CREATE INDEX IF NOT EXISTS touches_of ON touches(actor, time);"
    "CREATE TABLE IF NOT EXISTS saved(id INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB, actor BLOB, inode INT, size INT,"
    " modified INT, time INT, pinned INT DEFAULT 0);"
    "CREATE INDEX IF NOT EXISTS saved_of ON saved(path, time);"
    "CREATE TABLE IF NOT EXISTS canaries(path BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS actors(key BLOB PRIMARY KEY, facts BLOB) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS facts(name BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID;";

std::string packed(const std::vector<std::uint64_t>& words) {
  std::string bytes(words.size() * sizeof(std::uint64_t), '\0');
  if (!words.empty()) std::memcpy(bytes.data(), words.data(), bytes.size());  // not with a null pointer
  return bytes;
}

std::vector<std::uint64_t> unpacked(const std::string& bytes) {
  std::vector<std::uint64_t> words(bytes.size() / sizeof(std::uint64_t));
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * sizeof(std::uint64_t));
  return words;
}

Remembered remembered_in(const Query& row) {
  Remembered file;
  file.inode = static_cast<std::uint64_t>(row.number_at(0));
  file.version.size = static_cast<std::uint64_t>(row.number_at(1));
  file.modified = row.number_at(2);
  file.gone = row.number_at(3);
  const std::int64_t verdict = row.number_at(4);
  file.version.judgement.verdict =
      verdict >= 0 && verdict <= 3 ? static_cast<detect::Verdict>(verdict) : detect::Verdict::kUnknown;
  file.version.judgement.kind = row.bytes_at(5);
  file.version.texture.blocks = static_cast<std::uint64_t>(row.number_at(6));
  file.version.texture.uniform = static_cast<std::uint64_t>(row.number_at(7));
  file.version.texture.random = detect::BlockSet::of_words(unpacked(row.bytes_at(8)));
  return file;
}

std::int64_t as_number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// All names below a folder lie between these two.
std::string first_below(const std::string& folder) { return folder.empty() ? "" : folder + "/"; }
std::string end_below(const std::string& folder) { return folder.empty() ? "\xff\xff" : folder + "0"; }

}  // namespace

base::Result<std::unique_ptr<Memory>> Memory::open(const std::string& path) {
  Sqlite database = KURA_TRY(Sqlite::open(path));
  ::chmod(path.c_str(), 0600);
  KURA_TRY(database.run(kSchema));
  return std::unique_ptr<Memory>(new Memory(std::move(database)));
}

Memory::~Memory() { flush(); }

Query* Memory::query(const char* command) {
  if (const auto known = queries_.find(command); known != queries_.end()) {
    known->second.again();
    return &known->second;
  }
  auto prepared = database_.prepare(command);
  if (!prepared) {
    note(prepared.error());
    return nullptr;
  }
  return &queries_.emplace(command, std::move(*prepared)).first->second;
}

void Memory::note(const base::Error& error) {
  if (!trouble_) trouble_ = error;
}

void Memory::begin() {
  if (open_) return;
  if (const auto begun = database_.run("BEGIN")) {
    open_ = true;
  } else {
    note(begun.error());
  }
}

void Memory::run(Query* query) {
  if (const auto done = query->run(); !done) note(done.error());
}

bool Memory::next(Query* query) {
  const auto more = query->next();
  if (!more) note(more.error());
  return more && *more;
}

std::optional<Remembered> Memory::file(const std::string& path) {
  const base::MutexLock lock(mutex_);
  Query* const found =
      query("SELECT inode, size, modified, gone, verdict, kind, blocks, uniform, random FROM files WHERE path = ?");
  if (found == nullptr || !next(&found->bytes(path))) return std::nullopt;
  Remembered file = remembered_in(*found);
  found->again();
  return file;
}

void Memory::remember(const std::string& path, const Remembered& file) {
  const base::MutexLock lock(mutex_);
  begin();
  Query* const put = query("INSERT OR REPLACE INTO files VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (put == nullptr) return;
  put->bytes(path).number(as_number(file.inode)).number(as_number(file.version.size)).number(file.modified);
  put->number(file.gone).number(static_cast<std::int64_t>(file.version.judgement.verdict));
  put->bytes(file.version.judgement.kind).number(as_number(file.version.texture.blocks));
  put->number(as_number(file.version.texture.uniform)).bytes(packed(file.version.texture.random.words()));
  run(put);
}

void Memory::bury(const std::string& path, std::int64_t time) {
  const base::MutexLock lock(mutex_);
  begin();
  if (Query* const put = query("UPDATE files SET gone = ? WHERE path = ?")) run(&put->number(time).bytes(path));
}

void Memory::move(const std::string& from, const std::string& to, bool folder) {
  const base::MutexLock lock(mutex_);
  begin();
  if (Query* const put = query("UPDATE OR REPLACE files SET path = ? WHERE path = ?")) {
    run(&put->bytes(to).bytes(from));
  }
  if (!folder) return;
  if (Query* const put =
          query("UPDATE OR REPLACE files SET path = CAST(? || substr(path, ?) AS BLOB) WHERE path > ? AND path < ?")) {
    run(&put->bytes(to).number(as_number(from.size() + 1)).bytes(first_below(from)).bytes(end_below(from)));
  }
  if (Query* const put = query(
          "UPDATE OR REPLACE canaries SET path = CAST(? || substr(path, ?) AS BLOB) WHERE path > ? AND path < ?")) {
    run(&put->bytes(to).number(as_number(from.size() + 1)).bytes(first_below(from)).bytes(end_below(from)));
  }
}

std::vector<std::string> Memory::files_below(const std::string& folder) {
  const base::MutexLock lock(mutex_);
  std::vector<std::string> all;
  Query* const found = query("SELECT path FROM files WHERE path > ? AND path < ? AND gone = 0");
  if (found == nullptr) return all;
  found->bytes(first_below(folder)).bytes(end_below(folder));
  while (next(found)) all.push_back(found->bytes_at(0));
  found->again();
  return all;
}

std::uint64_t Memory::files() {
  const base::MutexLock lock(mutex_);
  Query* const found = query("SELECT count(*) FROM files WHERE gone = 0");
  const std::uint64_t count = found != nullptr && next(found) ? static_cast<std::uint64_t>(found->number_at(0)) : 0;
  if (found != nullptr) found->again();
  return count;
}

void Memory::touch(const std::string& actor, const Touch& touch) {
  const base::MutexLock lock(mutex_);
  begin();
  if (Query* const put = query("INSERT INTO touches VALUES(?, ?, ?, ?, ?)")) {
    run(&put->bytes(actor).number(touch.time).bytes(touch.path).bytes(touch.from).bytes(touch.what));
  }
}

std::vector<Touch> Memory::touches(const std::string& actor, std::int64_t since, std::size_t most) {
  const base::MutexLock lock(mutex_);
  std::vector<Touch> all;
  Query* const found =
      query("SELECT path, origin, what, time FROM touches WHERE actor = ? AND time >= ? ORDER BY time, rowid LIMIT ?");
  if (found == nullptr) return all;
  found->bytes(actor).number(since).number(static_cast<std::int64_t>(most));
  while (next(found)) {
    all.push_back({found->bytes_at(0), found->bytes_at(1), found->bytes_at(2), found->number_at(3)});
  }
  found->again();
  return all;
}

void Memory::give_over(const std::string& from, const std::string& to) {
  const base::MutexLock lock(mutex_);
  begin();
  if (Query* const put = query("UPDATE touches SET actor = ? WHERE actor = ?")) run(&put->bytes(to).bytes(from));
  if (Query* const put = query("UPDATE saved SET actor = ? WHERE actor = ?")) run(&put->bytes(to).bytes(from));
  if (Query* const put = query("DELETE FROM actors WHERE key = ?")) run(&put->bytes(from));
}

std::int64_t Memory::add_saved(const Saved& saved) {
  const base::MutexLock lock(mutex_);
  begin();
  Query* const put = query("INSERT INTO saved(path, actor, inode, size, modified, time) VALUES(?, ?, ?, ?, ?, ?)");
  if (put == nullptr) return 0;
  put->bytes(saved.path).bytes(saved.actor).number(as_number(saved.inode)).number(as_number(saved.size));
  run(&put->number(saved.modified).number(saved.time));
  return database_.last_id();
}

void Memory::drop_saved(std::int64_t id) {
  const base::MutexLock lock(mutex_);
  begin();
  if (Query* const put = query("DELETE FROM saved WHERE id = ?")) run(&put->number(id));
}

std::optional<Saved> Memory::one_saved(Query* row) {
  if (!next(row)) return std::nullopt;
  Saved saved{.id = row->number_at(0),
              .path = row->bytes_at(1),
              .actor = row->bytes_at(2),
              .inode = static_cast<std::uint64_t>(row->number_at(3)),
              .size = static_cast<std::uint64_t>(row->number_at(4)),
              .modified = row->number_at(5),
              .time = row->number_at(6)};
  row->again();
  return saved;
}

std::optional<Saved> Memory::saved(const std::string& path, std::int64_t time) {
  const base::MutexLock lock(mutex_);
  Query* const found = query(
      "SELECT id, path, actor, inode, size, modified, time FROM saved WHERE path = ? AND time <= ? "
      "ORDER BY time DESC, id DESC LIMIT 1");
  return found == nullptr ? std::nullopt : one_saved(&found->bytes(path).number(time));
}

std::optional<Saved> Memory::oldest_saved() {
  const base::MutexLock lock(mutex_);
  Query* const found =
      query("SELECT id, path, actor, inode, size, modified, time FROM saved WHERE pinned = 0 ORDER BY id LIMIT 1");
  return found == nullptr ? std::nullopt : one_saved(found);
}

std::uint64_t Memory::saved_bytes() {
  const base::MutexLock lock(mutex_);
  Query* const found = query("SELECT coalesce(sum(size), 0) FROM saved");
  const std::uint64_t sum = found != nullptr && next(found) ? static_cast<std::uint64_t>(found->number_at(0)) : 0;
  if (found != nullptr) found->again();
  return sum;
}

void Memory::pin_saved(const std::string& actor, std::int64_t since) {
  const base::MutexLock lock(mutex_);
  begin();
  if (Query* const put = query("UPDATE saved SET pinned = 1 WHERE actor = ? AND time >= ?")) {
    run(&put->bytes(actor).number(since));
  }
}

void Memory::set_canary(const std::string& path, bool is_one) {
  const base::MutexLock lock(mutex_);
  begin();
  Query* const put =
      is_one ? query("INSERT OR REPLACE INTO canaries VALUES(?)") : query("DELETE FROM canaries WHERE path = ?");
  if (put != nullptr) run(&put->bytes(path));
}

std::set<std::string> Memory::canaries() {
  const base::MutexLock lock(mutex_);
  std::set<std::string> all;
  Query* const found = query("SELECT path FROM canaries");
  while (found != nullptr && next(found)) all.insert(found->bytes_at(0));
  return all;
}

void Memory::keep_actor(const std::string& key, const std::string& facts) {
  const base::MutexLock lock(mutex_);
  begin();
  if (Query* const put = query("INSERT OR REPLACE INTO actors VALUES(?, ?)")) run(&put->bytes(key).bytes(facts));
}

std::map<std::string, std::string> Memory::actors() {
  const base::MutexLock lock(mutex_);
  std::map<std::string, std::string> all;
  Query* const found = query("SELECT key, facts FROM actors");
  while (found != nullptr && next(found)) all.emplace(found->bytes_at(0), found->bytes_at(1));
  return all;
}

std::string Memory::fact(const std::string& name) {
  const base::MutexLock lock(mutex_);
  Query* const found = query("SELECT value FROM facts WHERE name = ?");
  if (found == nullptr || !next(&found->bytes(name))) return {};
  std::string value = found->bytes_at(0);
  found->again();
  return value;
}

void Memory::set_fact(const std::string& name, const std::string& value) {
  const base::MutexLock lock(mutex_);
  begin();
  if (Query* const put = query("INSERT OR REPLACE INTO facts VALUES(?, ?)")) run(&put->bytes(name).bytes(value));
}

void Memory::forget_before(std::int64_t time) {
  const base::MutexLock lock(mutex_);
  begin();
  if (Query* const put = query("DELETE FROM touches WHERE time < ?")) run(&put->number(time));
  if (Query* const put = query("DELETE FROM files WHERE gone > 0 AND gone < ?")) run(&put->number(time));
}

void Memory::flush() {
  const base::MutexLock lock(mutex_);
  if (!open_) return;
  open_ = false;
  if (const auto done = database_.run("COMMIT"); !done) note(done.error());
}

std::optional<base::Error> Memory::trouble() {
  const base::MutexLock lock(mutex_);
  return std::exchange(trouble_, std::nullopt);
}

}  // namespace kura::guard
