#include "store/s3_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "store/folder_layout.h"
#include "store/http/curl.h"
#include "store/s3_bucket.h"
#include "store/s3_layout.h"
#include "store/s3_locks.h"
#include "store/s3_uploads.h"
#include "store/spooled_upload.h"

namespace kura::store {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t kMostListed = 1 << 24;  // objects of a kind: 512 TiB of packs
constexpr unsigned kAtOnce = 16;
constexpr std::uint64_t kWorthParts = 16 << 20;                        // bytes
constexpr std::int64_t kUploadLifetime = 24LL * 3600 * base::kSecond;  // ns: nobody uploads an object for longer

class S3Store final : public Store {
 public:
  S3Store(const s3::Address& address, const s3::Credentials& credentials, const S3Options& options)
      : layout_(address.key_prefix()),
        bucket_(address, credentials, options.stop, options.patience),
        uploads_(bucket_.service()),
        locks_(address.object_lock.value_or(std::chrono::seconds(0)), /*renewed=*/!options.vault_folder.empty()),
        vault_folder_(options.vault_folder) {}

  using Store::put;
  Status put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override;
  Result<std::unique_ptr<Upload>> upload(Kind kind, const ObjectId& id, std::uint64_t size) override;
  Status replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override;
  Result<base::Bytes> get(Kind kind, const ObjectId& id, std::uint64_t limit) override;
  Status read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) override;
  Result<ObjectInfo> stat(Kind kind, const ObjectId& id) override;
  Result<std::vector<ObjectInfo>> list(Kind kind) override;
  Status remove(Kind kind, const ObjectId& id) override;
  bool locks_objects() const override { return locks_.wanted(); }
  Status extend_locks(Kind kind, std::span<Lock> locks) override;
  Result<std::int64_t> locked_until(Kind kind, const ObjectId& id) override;
  unsigned requests_at_once() const override { return kAtOnce; }
  Status sync() override { return {}; }
  Result<std::int64_t> now() override { return bucket_.clock(); }
  std::int64_t clock_error() const override { return 60 * base::kSecond; }
  std::string describe() const override { return bucket_.address().text(); }

  // kNotFound when there is none of the signs of one.
  Status need_repository();
  // kExists when there is something else, and no repository.
  Status need_room();

 private:
  Status prepare_to_write();
  Status check_lock_option();
  void abandon_old_uploads();
  // What lies under the name before an object is sent.
  enum class Before : std::uint8_t { kNothing, kOtherSize, kPerhapsSameSize };
  Status send(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts, std::uint64_t size, Before before);
  Status send_in_parts(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts, std::uint64_t size,
                       Before before);
  bool has_arrived(Kind kind, const ObjectId& id, std::uint64_t size, Before before);
  Status lock(Kind kind, const ObjectId& id);
  Status lock_again(Kind kind, const ObjectId& id, const S3Bucket::Head& head);
  Status extend_lock(Kind kind, Lock& lock);
  Result<bool> append_page(Kind kind, const std::string& prefix, std::string& next, std::vector<ObjectInfo>& found);
  Status append_all(Kind kind, const std::string& prefix, std::string next, std::vector<ObjectInfo>& found);
  Result<std::vector<ObjectInfo>> list_by_first_digit(Kind kind);
  Error about(std::string_view doing, Kind kind, const ObjectId& id, Error error) const;

  const S3Layout layout_;
  S3Bucket bucket_;
  S3Uploads uploads_;
  S3Locks locks_;
  const std::string vault_folder_;
  std::once_flag prepared_;
  Status preparation_;
  std::atomic<bool> takes_conditions_{true};
  std::atomic<bool> line_breaks_{false};
};

// Before the first object that is to stay.
Status S3Store::prepare_to_write() {
  std::call_once(prepared_, [this] {
    preparation_ = check_lock_option();
    if (preparation_) abandon_old_uploads();
  });
  return preparation_;
}

// A bucket that can lock and an address that does not ask for it are mostly a mistake, and one that is found out when
// it is too late.
Status S3Store::check_lock_option() {
  const auto can_lock = KURA_TRY_AS(bucket_.can_lock(), "cannot ask whether objects are locked in " + describe());
  if (locks_.wanted() && can_lock == false) {
    return base::fail(ErrorCode::kUsage, fmt::format("the bucket of {} cannot lock objects", describe()),
                      "make one with Object Lock, or leave out object-lock= in the address");
  }
  if (!bucket_.address().object_lock && can_lock == true) {
    return base::fail(
        ErrorCode::kUsage,
        fmt::format("the bucket of {} has Object Lock, but the address does not say for how long", describe()),
        "add ?object-lock=30d to it, say, or ?object-lock=none");
  }
  return {};
}

// A convenience: whatever goes wrong here, the next writer may have more luck.
void S3Store::abandon_old_uploads() {
  const auto now = bucket_.clock();
  if (!now) return;
  static_cast<void>(uploads_.abandon_old(layout_.prefix(), *now - kUploadLifetime,
                                         [this](std::string_view key) { return layout_.is_of_a_kind(key); }));
}

Status S3Store::put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) {
  if (S3Locks::concerns(kind)) KURA_TRY(prepare_to_write());
  const std::string key = layout_.key(kind, id);
  const std::uint64_t size = base::total_size(parts);
  const auto there = bucket_.head(key);
  if (!there) return base::fail(about("cannot look for", kind, id, there.error()));
  if (*there && (*there)->size == size) {
    return lock_again(kind, id, **there);
  }
  return send(kind, id, parts, size, there->has_value() ? Before::kOtherSize : Before::kNothing);
}

Result<std::unique_ptr<Upload>> S3Store::upload(Kind kind, const ObjectId& id, std::uint64_t size) {
  if (vault_folder_.empty()) return Store::upload(kind, id, size);
  return spooled_upload(*this, kind, id, size, vault_folder_);
}

Status S3Store::replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) {
  if (S3Locks::concerns(kind)) KURA_TRY(prepare_to_write());
  return send(kind, id, parts, base::total_size(parts), Before::kPerhapsSameSize);
}

Status S3Store::send(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts, std::uint64_t size,
                     Before before) {
  const bool is_large = size > kWorthParts;
  if (is_large && line_breaks_) return send_in_parts(kind, id, parts, size, before);
  const std::string key = layout_.key(kind, id);
  const bool condition = before == Before::kNothing && takes_conditions_;
  const auto until = locks_.until(kind);
  const auto stored = bucket_.put(key, id, parts, condition, until, /*resend_when_cut=*/!is_large);
  if (stored) {
    if (until) locks_.remember(id, *until);
    return {};
  }
  const s3::Refusal& refusal = stored.error();
  if (is_large && refusal.cut_off) {
    line_breaks_ = true;
    return send_in_parts(kind, id, parts, size, before);
  }
  if (condition && refusal.status == 501) {
    takes_conditions_ = false;
    return send(kind, id, parts, size, before);
  }
  if (condition && refusal.status == 412) {
    // By somebody else, or by a try of ours whose answer was lost.
    const auto there = KURA_TRY(bucket_.head(key));
    if (there && there->size == size) return lock_again(kind, id, *there);
    return send(kind, id, parts, size, Before::kOtherSize);
  }
  return base::fail(about("cannot store", kind, id, refusal.error));
}

// The lock comes afterwards: some servers take none with an upload in parts.
Status S3Store::send_in_parts(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts, std::uint64_t size,
                              Before before) {
  const auto stored = uploads_.put(layout_.key(kind, id), parts);
  if (!stored && !has_arrived(kind, id, size, before)) {
    return base::fail(about("cannot store", kind, id, stored.error().error));
  }
  return locks_.until(kind) ? lock(kind, id) : Status{};
}

// After an upload that seems to have failed: perhaps only the answer was lost. Where an object of the same size may
// have been there before, its bytes must tell.
bool S3Store::has_arrived(Kind kind, const ObjectId& id, std::uint64_t size, Before before) {
  if (before == Before::kPerhapsSameSize) return get(kind, id, size).has_value();
  const auto there = bucket_.head(layout_.key(kind, id));
  return there && *there && (*there)->size == size;
}

// As long from now on as a new one would be.
Status S3Store::lock(Kind kind, const ObjectId& id) {
  const std::int64_t until = locks_.until(kind).value();
  Status status = bucket_.lock(layout_.key(kind, id), until);
  if (!status) return base::fail(about("cannot lock", kind, id, std::move(status).error()));
  locks_.remember(id, until);
  return {};
}

Status S3Store::lock_again(Kind kind, const ObjectId& id, const S3Bucket::Head& head) {
  if (!locks_.until(kind)) return {};
  const std::int64_t until = head.locked_until.value_or(0);
  if (!locks_.suffices(until)) return lock(kind, id);
  locks_.remember(id, until);
  return {};
}

Status S3Store::extend_lock(Kind kind, Lock& lock) {
  lock.until = locks_.known(lock.id).value_or(lock.until);
  if (locks_.suffices(lock.until)) return {};
  const auto there = bucket_.head(layout_.key(kind, lock.id));
  if (!there) return base::fail(about("cannot look for", kind, lock.id, there.error()));
  if (!*there) return base::fail(about("", kind, lock.id, Error(ErrorCode::kNotFound, "")));
  KURA_TRY(lock_again(kind, lock.id, **there));
  lock.until = locks_.known(lock.id).value_or(0);
  return {};
}

Status S3Store::extend_locks(Kind kind, std::span<Lock> locks) {
  if (!locks_.wanted()) return {};
  KURA_TRY(prepare_to_write());
  return base::each_on_threads(locks.size(), kAtOnce, [&](std::size_t i) { return extend_lock(kind, locks[i]); });
}

Result<std::int64_t> S3Store::locked_until(Kind kind, const ObjectId& id) {
  const auto there = bucket_.head(layout_.key(kind, id));
  if (!there) return base::fail(about("cannot look for", kind, id, there.error()));
  return *there ? (*there)->locked_until.value_or(0) : 0;
}

Result<base::Bytes> S3Store::get(Kind kind, const ObjectId& id, std::uint64_t limit) {
  // Once more where the bytes are not what they should be: they may have been changed on the way only.
  for (int tries = 1;; ++tries) {
    auto bytes = bucket_.get(layout_.key(kind, id), limit);
    if (!bytes && bytes.error().too_large) {
      return base::fail(
          about("", kind, id, Error(ErrorCode::kDamaged, fmt::format("it has more than {} bytes", limit))));
    }
    if (!bytes) return base::fail(about("cannot read", kind, id, std::move(bytes).error().error));
    if (crypto::sha256(*bytes) == id) return *std::move(bytes);
    if (tries == 2) {
      return base::fail(about("", kind, id, Error(ErrorCode::kDamaged, "its bytes do not match its name")));
    }
  }
}

Status S3Store::read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) {
  if (out.empty()) return {};
  Status status = bucket_.read_at(layout_.key(kind, id), offset, out);
  if (!status) return base::fail(about("cannot read", kind, id, std::move(status).error()));
  return {};
}

Result<ObjectInfo> S3Store::stat(Kind kind, const ObjectId& id) {
  auto head = bucket_.head(layout_.key(kind, id));
  if (!head) return base::fail(about("cannot look for", kind, id, std::move(head).error()));
  if (!*head) return base::fail(about("", kind, id, Error(ErrorCode::kNotFound, "")));
  return ObjectInfo{.id = id, .size = (*head)->size, .received = (*head)->received};
}

// Whether there are more pages.
Result<bool> S3Store::append_page(Kind kind, const std::string& prefix, std::string& next,
                                  std::vector<ObjectInfo>& found) {
  s3::ListPage page = KURA_TRY_AS(bucket_.list_page(prefix, next), "cannot list " + describe());
  for (const s3::ListedObject& object : page.objects) {
    const auto id = layout_.object(kind, object.key);
    // Whole seconds, as stat() has them (s3_store.h).
    if (id)
      found.push_back({.id = *id, .size = object.size, .received = object.modified / base::kSecond * base::kSecond});
  }
  if (found.size() > kMostListed || (page.next == next && !next.empty())) {
    return base::fail(ErrorCode::kIo, fmt::format("the listing of {} does not end", describe()),
                      "see whether the address is that of an S3 server");
  }
  next = std::move(page.next);
  return !next.empty();
}

// From the page that `next` names, or the first one.
Status S3Store::append_all(Kind kind, const std::string& prefix, std::string next, std::vector<ObjectInfo>& found) {
  while (KURA_TRY(append_page(kind, prefix, next, found))) {
  }
  return {};
}

Result<std::vector<ObjectInfo>> S3Store::list(Kind kind) {
  std::vector<ObjectInfo> found;
  std::string next;
  const std::string prefix = layout_.kind_prefix(kind);
  const bool more = KURA_TRY(append_page(kind, prefix, next, found));
  if (more && has_subfolders(kind)) return list_by_first_digit(kind);
  if (more) KURA_TRY(append_all(kind, prefix, std::move(next), found));
  return found;
}

// A listing of many pages is slow, because each names the next one: these are 16 listings at once.
Result<std::vector<ObjectInfo>> S3Store::list_by_first_digit(Kind kind) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::vector<ObjectInfo>, kDigits.size()> parts;
  KURA_TRY(base::each_on_threads(kDigits.size(), kAtOnce, [&](std::size_t i) {
    return append_all(kind, layout_.kind_prefix(kind) + kDigits[i], "", parts[i]);
  }));
  std::vector<ObjectInfo> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Status S3Store::remove(Kind kind, const ObjectId& id) {
  const std::string key = layout_.key(kind, id);
  if (S3Locks::concerns(kind)) {
    const auto there = bucket_.head(key);
    if (!there) return base::fail(about("cannot look for", kind, id, there.error()));
    if (!*there) return {};
    const auto until = (*there)->locked_until;
    if (until && *until > base::now_ns()) {
      return base::fail(ErrorCode::kDenied,
                        fmt::format("{} {} in {} is locked until {}", name_of(kind), id.hex(), describe(),
                                    base::format_rfc3339(*until)),
                        "run again after that time; nobody can remove it before (Object Lock)");
    }
  }
  Status status = bucket_.remove(key);
  if (!status) return base::fail(about("cannot remove", kind, id, std::move(status).error()));
  return {};
}

Status S3Store::need_repository() {
  for (const Kind kind : kSignsOfRepository) {
    const auto page = KURA_TRY_AS(bucket_.list_page(layout_.kind_prefix(kind), "", 1), "cannot open " + describe());
    if (!page.objects.empty()) return {};
  }
  return base::fail(ErrorCode::kNotFound, fmt::format("{} is not a repository", describe()),
                    fmt::format("make one with `kura init -r {}`", describe()));
}

Status S3Store::need_room() {
  const auto page =
      KURA_TRY_AS(bucket_.list_page(layout_.prefix(), ""), fmt::format("cannot make a repository in {}", describe()));
  const bool ours = std::ranges::all_of(
      page.objects, [&](const s3::ListedObject& object) { return layout_.is_of_a_kind(object.key); });
  if (ours || need_repository()) return {};
  return base::fail(ErrorCode::kExists, fmt::format("{} is not empty and is not a repository", describe()),
                    "choose another prefix, such as " + describe() + "/backup");
}

Error S3Store::about(std::string_view doing, Kind kind, const ObjectId& id, Error error) const {
  const std::string object = fmt::format("{} {}", name_of(kind), id.hex());
  if (error.code() == ErrorCode::kNotFound && !error.message().starts_with("there is no bucket")) {
    return {ErrorCode::kNotFound, fmt::format("{} is not in {}", object, describe()),
            "run `kura check` to see what is missing, and copy the object from another copy of the repository"};
  }
  if (error.code() == ErrorCode::kDamaged) {
    return {ErrorCode::kDamaged, fmt::format("{} in {} is damaged: {}", object, describe(), error.message()),
            "run `kura check` to see what depends on it, and restore that object from another copy of the repository"};
  }
  if (error.code() == ErrorCode::kInterrupted) return error;
  return std::move(error).within(fmt::format("{} {} in {}", doing, object, describe()));
}

}  // namespace

Result<std::unique_ptr<Store>> open_s3_store(const s3::Address& address, const s3::Credentials& credentials,
                                             const S3Options& options) {
  KURA_TRY_AS(http::load_curl(), "cannot open " + address.text());
  auto store = std::make_unique<S3Store>(address, credentials, options);
  KURA_TRY(store->need_repository());
  return store;
}

Result<std::unique_ptr<Store>> create_s3_store(const s3::Address& address, const s3::Credentials& credentials,
                                               const S3Options& options) {
  KURA_TRY_AS(http::load_curl(), "cannot open " + address.text());
  auto store = std::make_unique<S3Store>(address, credentials, options);
  KURA_TRY(store->need_room());
  return store;
}

}  // namespace kura::store
