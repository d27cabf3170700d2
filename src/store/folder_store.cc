#include "store/folder_store.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/mutex.h"
#include "base/raw_buffer.h"
#include "crypto/hash.h"
#include "store/atomic_file.h"
#include "store/folder_layout.h"

namespace kura::store {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using Type = FileSystem::Type;

constexpr std::size_t kVerifiedPiece = 1 << 20;                           // bytes
constexpr std::int64_t kTemporaryLifetime = 24LL * 3600 * 1'000'000'000;  // ns

class FolderStore final : public Store {
 public:
  FolderStore(FolderLayout layout, FileSystem& files) : layout_(std::move(layout)), files_(files) {}

  using Store::put;
  Status put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override;
  Result<std::unique_ptr<Upload>> upload(Kind kind, const ObjectId& id, std::uint64_t size) override;
  Status replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override;
  Result<base::Bytes> get(Kind kind, const ObjectId& id, std::uint64_t limit) override;
  Status verify(Kind kind, const ObjectId& id, std::uint64_t size) override;
  Status read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) override;
  Result<ObjectInfo> stat(Kind kind, const ObjectId& id) override;
  Result<std::vector<ObjectInfo>> list(Kind kind) override;
  Status remove(Kind kind, const ObjectId& id) override;
  Status sync() override;
  Result<std::int64_t> now() override;
  std::string describe() const override { return layout_.root(); }

 private:
  class FolderUpload;
  Status prepare_to_write();
  void sweep_temporaries();
  Result<std::int64_t> read_clock();
  Status ensure_folder(const std::string& path, const std::string& parent);
  Status ensure_folder_of(Kind kind, const ObjectId& id);
  void mark_dirty(const std::string& folder);
  Status append_objects(const std::string& folder, std::string_view prefix, std::vector<ObjectInfo>& found);
  Result<std::vector<FileSystem::Entry>> list_or_empty(const std::string& folder);
  Error about(Kind kind, const ObjectId& id, Error error) const;
  Error with_advice(Error error) const;
  template <typename T>
  Result<T> advised(Result<T> result) const {
    if (!result) return base::fail(with_advice(std::move(result).error()));
    return result;
  }

  const FolderLayout layout_;
  FileSystem& files_;
  std::once_flag swept_;

  base::Mutex folders_mutex_;
  std::set<std::string> known_ KURA_GUARDED_BY(folders_mutex_);  // exist, so far as this store has seen
  std::set<std::string> dirty_ KURA_GUARDED_BY(folders_mutex_);  // their names changed since the last sync

  // Held for a whole sync(): the objects of a second caller may be in the first one's set.
  base::Mutex sync_mutex_;
  std::optional<Error> sync_failure_ KURA_GUARDED_BY(sync_mutex_);
};

Status FolderStore::put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) {
  KURA_TRY(advised(prepare_to_write()));
  KURA_TRY(advised(ensure_folder_of(kind, id)));
  const std::uint64_t size = base::total_size(parts);

  const std::string path = layout_.path(kind, id);
  const auto there = files_.stat(path);
  // A file of another size is what some accident left of the object: it is replaced.
  if (!there || there->type != Type::kFile || there->size != size) {
    const std::string temporary = layout_.temporaries() + "/" + temporary_name();
    KURA_TRY(advised(write_atomically(files_, temporary, path, parts)));
  }
  // Also when the object was there: whoever put it may not have synced its name, and our caller relies on our sync().
  mark_dirty(layout_.folder(kind, id));
  return {};
}

class FolderStore::FolderUpload final : public Upload {
 public:
  FolderUpload(FolderStore& store, Kind kind, const ObjectId& id, std::uint64_t size, std::string temporary,
               std::unique_ptr<FileSystem::File> file)
      : store_(store), kind_(kind), id_(id), size_(size), temporary_(std::move(temporary)), file_(std::move(file)) {}
  ~FolderUpload() override {
    if (file_ == nullptr) return;
    file_.reset();
    [[maybe_unused]] const Status removed = store_.files_.remove(temporary_);
  }

  Status write(base::ByteSpan bytes) override {
    if (bytes.size() > size_ - written_) return base::fail(upload_is_not_as_announced(kind_, id_));
    written_ += bytes.size();
    hash_.update(bytes);
    return store_.advised(file_->write(bytes));
  }

  Status finish() override {
    if (written_ != size_ || hash_.finish() != id_) return base::fail(upload_is_not_as_announced(kind_, id_));
    KURA_TRY(store_.advised(file_->sync()));
    KURA_TRY(store_.advised(store_.files_.rename(temporary_, store_.layout_.path(kind_, id_))));
    file_.reset();
    store_.mark_dirty(store_.layout_.folder(kind_, id_));
    return {};
  }

 private:
  FolderStore& store_;
  const Kind kind_;
  const ObjectId id_;
  const std::uint64_t size_;
  const std::string temporary_;
  std::unique_ptr<FileSystem::File> file_;  // null: it is no temporary any more
  std::uint64_t written_ = 0;
  crypto::Sha256 hash_;
};

Result<std::unique_ptr<Upload>> FolderStore::upload(Kind kind, const ObjectId& id, std::uint64_t size) {
  KURA_TRY(advised(prepare_to_write()));
  KURA_TRY(advised(ensure_folder_of(kind, id)));
  std::string temporary = layout_.temporaries() + "/" + temporary_name();
  auto file = KURA_TRY(advised(files_.create(temporary)));
  return std::make_unique<FolderUpload>(*this, kind, id, size, std::move(temporary), std::move(file));
}

Status FolderStore::replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) {
  KURA_TRY(advised(prepare_to_write()));
  KURA_TRY(advised(ensure_folder_of(kind, id)));
  const std::string path = layout_.path(kind, id);
  const auto there = files_.stat(path);
  const auto received = there ? std::optional(there->modified) : std::nullopt;
  const std::string temporary = layout_.temporaries() + "/" + temporary_name();
  KURA_TRY(advised(write_atomically(files_, temporary, path, parts, received)));
  mark_dirty(layout_.folder(kind, id));
  return {};
}

Result<base::Bytes> FolderStore::get(Kind kind, const ObjectId& id, std::uint64_t limit) {
  Result<base::Bytes> bytes = files_.read_all(layout_.path(kind, id), limit);
  if (!bytes) return base::fail(about(kind, id, std::move(bytes).error()));
  if (crypto::sha256(*bytes) != id) {
    return base::fail(about(kind, id, Error(ErrorCode::kDamaged, "its bytes do not match its name")));
  }
  return bytes;
}

// Piece by piece: each stays in the processor's cache, and no memory has to be made for an object of 32 MiB.
Status FolderStore::verify(Kind kind, const ObjectId& id, std::uint64_t size) {
  const ObjectInfo there = KURA_TRY(stat(kind, id));
  if (there.size != size) return base::fail(about(kind, id, is_of_another_size(kind, id, there.size, size)));
  base::RawBuffer piece(std::min<std::uint64_t>(size, kVerifiedPiece));
  crypto::Sha256 hash;
  for (std::uint64_t done = 0; done < size;) {
    const auto part = piece.spare().first(std::min<std::uint64_t>(size - done, kVerifiedPiece));
    KURA_TRY(read_at(kind, id, done, part));
    hash.update(part);
    done += part.size();
  }
  if (hash.finish() == id) return {};
  return base::fail(about(kind, id, Error(ErrorCode::kDamaged, "its bytes do not match its name")));
}

Status FolderStore::read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) {
  Status status = files_.read_at(layout_.path(kind, id), offset, out);
  if (!status) return base::fail(about(kind, id, std::move(status).error()));
  return {};
}

Result<ObjectInfo> FolderStore::stat(Kind kind, const ObjectId& id) {
  const std::string path = layout_.path(kind, id);
  Result<FileSystem::Entry> entry = files_.stat(path);
  if (!entry) return base::fail(about(kind, id, std::move(entry).error()));
  if (entry->type != Type::kFile) {
    return base::fail(about(kind, id, Error(ErrorCode::kDamaged, path + " is not a regular file")));
  }
  return ObjectInfo{.id = id, .size = entry->size, .received = entry->modified};
}

Result<std::vector<ObjectInfo>> FolderStore::list(Kind kind) {
  const std::string folder = layout_.kind_folder(kind);
  std::vector<ObjectInfo> found;
  if (!has_subfolders(kind)) {
    KURA_TRY(advised(append_objects(folder, "", found)));
    return found;
  }
  for (const FileSystem::Entry& entry : KURA_TRY(advised(list_or_empty(folder)))) {
    if (entry.type != Type::kFolder || !is_subfolder_name(entry.name)) continue;
    KURA_TRY(advised(append_objects(folder + "/" + entry.name, entry.name, found)));
  }
  return found;
}

Status FolderStore::append_objects(const std::string& folder, std::string_view prefix, std::vector<ObjectInfo>& found) {
  const std::vector<FileSystem::Entry> entries = KURA_TRY(list_or_empty(folder));
  if (found.empty()) found.reserve(entries.size());
  for (const FileSystem::Entry& entry : entries) {
    if (entry.type != Type::kFile) continue;
    if (const std::optional<ObjectId> id = object_of(entry.name, prefix)) {
      found.push_back({.id = *id, .size = entry.size, .received = entry.modified});
    }
  }
  return {};
}

// A folder may be missing (an older store, a copy without its empty folders), but not the whole store: a disk that
// was unmounted is no empty repository.
Result<std::vector<FileSystem::Entry>> FolderStore::list_or_empty(const std::string& folder) {
  Result<std::vector<FileSystem::Entry>> entries = files_.list(folder);
  if (entries || entries.error().code() != ErrorCode::kNotFound) return entries;
  const bool is_store = std::ranges::any_of(
      kSignsOfRepository, [&](Kind kind) { return files_.stat(layout_.kind_folder(kind)).has_value(); });
  if (!is_store) {
    return base::fail(ErrorCode::kNotFound, fmt::format("{} is no longer a repository", layout_.root()),
                      "see whether its disk is still mounted");
  }
  return std::vector<FileSystem::Entry>{};
}

Status FolderStore::remove(Kind kind, const ObjectId& id) {
  const std::string folder = layout_.folder(kind, id);
  Status status = files_.remove(layout_.path(kind, id));
  if (!status && status.error().code() != ErrorCode::kNotFound) return advised(std::move(status));
  // Also when somebody else removed it: our caller relies on our sync().
  if (status || files_.stat(folder)) mark_dirty(folder);
  return {};
}

Status FolderStore::sync() {
  const base::MutexLock one_at_a_time(sync_mutex_);
  if (sync_failure_) return base::fail(*sync_failure_);
  std::set<std::string> folders;
  {
    const base::MutexLock lock(folders_mutex_);
    folders.swap(dirty_);
  }
  for (const std::string& folder : folders) {
    Status status = files_.sync_folder(folder);
    if (status) continue;
    // The kernel reports a lost write once and then forgets it, so a second try would succeed over missing names.
    sync_failure_ = with_advice(std::move(status).error());
    return base::fail(*sync_failure_);
  }
  return {};
}

Result<std::int64_t> FolderStore::now() {
  KURA_TRY(advised(prepare_to_write()));
  return advised(read_clock());
}

Result<std::int64_t> FolderStore::read_clock() {
  const std::string path = layout_.temporaries() + "/" + temporary_name();
  KURA_TRY(files_.create(path));
  const Result<FileSystem::Entry> entry = files_.stat(path);
  const Status removed = files_.remove(path);
  if (!entry) return base::fail(entry.error());
  if (!removed) return base::fail(removed.error());
  return entry->modified;
}

Status FolderStore::prepare_to_write() {
  KURA_TRY(ensure_folder(layout_.temporaries(), layout_.root_itself()));
  std::call_once(swept_, [this] { sweep_temporaries(); });
  return {};
}

// A convenience: whatever goes wrong here, the next writer may have more luck.
void FolderStore::sweep_temporaries() {
  const auto entries = files_.list(layout_.temporaries());
  if (!entries || entries->empty()) return;
  const Result<std::int64_t> clock = read_clock();
  if (!clock) return;
  for (const FileSystem::Entry& entry : *entries) {
    if (entry.type != Type::kFile || !is_temporary_name(entry.name)) continue;
    if (entry.modified > *clock - kTemporaryLifetime) continue;
    [[maybe_unused]] const Status removed = files_.remove(layout_.temporaries() + "/" + entry.name);
  }
}

// The parent is synced once even when the folder is there: whoever made it may not have come to that.
Status FolderStore::ensure_folder(const std::string& path, const std::string& parent) {
  {
    const base::MutexLock lock(folders_mutex_);
    if (known_.contains(path)) return {};
  }
  KURA_TRY(files_.make_folder(path));
  const base::MutexLock lock(folders_mutex_);
  dirty_.insert(parent);
  known_.insert(path);
  return {};
}

Status FolderStore::ensure_folder_of(Kind kind, const ObjectId& id) {
  const std::string folder = layout_.kind_folder(kind);
  KURA_TRY(ensure_folder(folder, layout_.root_itself()));
  return has_subfolders(kind) ? ensure_folder(layout_.folder(kind, id), folder) : Status{};
}

void FolderStore::mark_dirty(const std::string& folder) {
  const base::MutexLock lock(folders_mutex_);
  dirty_.insert(folder);
}

Error FolderStore::about(Kind kind, const ObjectId& id, Error error) const {
  const std::string object = fmt::format("{} {}", name_of(kind), id.hex());
  if (error.code() == ErrorCode::kNotFound) {
    return Error(ErrorCode::kNotFound, fmt::format("{} is not in {}", object, layout_.root()),
                 "run `kura check` to see what is missing, and copy the object from another copy of the repository");
  }
  if (error.code() == ErrorCode::kDamaged) {
    return Error(ErrorCode::kDamaged, fmt::format("{} in {} is damaged: {}", object, layout_.root(), error.message()),
                 "run `kura check` to see what depends on it, and restore that object from another copy of the "
                 "repository");
  }
  return with_advice(std::move(error));
}

Error FolderStore::with_advice(Error error) const {
  if (error.code() == ErrorCode::kNoSpace) {
    std::string hint = fmt::format("{}; what {} has already is kept and used", error.hint(), layout_.root());
    return std::move(error).with_hint(std::move(hint));
  }
  if (error.code() == ErrorCode::kDenied) {
    std::string hint = fmt::format("{}; the repository's folder is {}", error.hint(), layout_.root());
    return std::move(error).with_hint(std::move(hint));
  }
  return error;
}

}  // namespace

Result<std::unique_ptr<Store>> open_folder_store(const std::string& folder, FileSystem& files) {
  FolderLayout layout(folder);
  const auto root = files.stat(layout.root_itself());
  if (!root && root.error().code() == ErrorCode::kNotFound) {
    return base::fail(
        ErrorCode::kNotFound, fmt::format("{} does not exist", layout.root()),
        fmt::format("see whether its disk is mounted, or make a repository with `kura init -r {}`", layout.root()));
  }
  if (!root) return base::fail(root.error());
  for (const Kind kind : kSignsOfRepository) {
    const auto sign = files.stat(layout.kind_folder(kind));
    if (!sign && sign.error().code() != ErrorCode::kNotFound) return base::fail(sign.error());
    if (sign && sign->type == Type::kFolder) return std::make_unique<FolderStore>(std::move(layout), files);
  }
  return base::fail(ErrorCode::kNotFound, fmt::format("{} is not a repository", layout.root()),
                    fmt::format("make one with `kura init -r {}`", layout.root()));
}

}  // namespace kura::store
