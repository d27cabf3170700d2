#include "store/s3_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "store/folder_layout.h"
#include "store/http/curl.h"
#include "store/s3_bucket.h"
#include "store/s3_layout.h"

namespace kura::store {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t kMostListed = 1 << 24;  // objects of a kind: 512 TiB of packs
constexpr unsigned kListers = 8;

bool is_locked_kind(Kind kind) { return kind != Kind::kLease && kind != Kind::kCondemned; }

class S3Store final : public Store {
 public:
  S3Store(const s3::Address& address, const s3::Credentials& credentials, const std::stop_token& stop)
      : layout_(address.key_prefix()), bucket_(address, credentials, stop) {}

  using Store::put;
  Status put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override;
  Result<base::Bytes> get(Kind kind, const ObjectId& id, std::uint64_t limit) override;
  Status read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) override;
  Result<ObjectInfo> stat(Kind kind, const ObjectId& id) override;
  Result<std::vector<ObjectInfo>> list(Kind kind) override;
  Status remove(Kind kind, const ObjectId& id) override;
  Status sync() override { return {}; }
  Result<std::int64_t> now() override { return bucket_.clock(); }
  std::int64_t clock_error() const override { return 60 * base::kSecond; }
  std::string describe() const override { return bucket_.address().text(); }

  // kNotFound when there is no config.
  Status need_repository();
  // kExists when there is something else, and no config.
  Status need_room();

 private:
  Status upload(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts, std::uint64_t size,
                bool only_new);
  std::optional<std::int64_t> lock_time(Kind kind) const;
  Status lock_again(Kind kind, const std::string& key, const S3Bucket::Head& head);
  Result<bool> append_page(Kind kind, const std::string& prefix, std::string& next, std::vector<ObjectInfo>& found);
  Status append_all(Kind kind, const std::string& prefix, std::string next, std::vector<ObjectInfo>& found);
  Result<std::vector<ObjectInfo>> list_by_first_digit(Kind kind);
  Error about(std::string_view doing, Kind kind, const ObjectId& id, Error error) const;

  const S3Layout layout_;
  S3Bucket bucket_;
  std::atomic<bool> takes_conditions_{true};
};

std::optional<std::int64_t> S3Store::lock_time(Kind kind) const {
  const std::int64_t seconds = bucket_.address().object_lock.count();
  if (seconds == 0 || !is_locked_kind(kind)) return std::nullopt;
  return base::now_ns() + seconds * base::kSecond;
}

Status S3Store::put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) {
  const std::string key = layout_.key(kind, id);
  const std::uint64_t size = base::total_size(parts);
  const auto there = bucket_.head(key);
  if (!there) return base::fail(about("cannot look for", kind, id, there.error()));
  if (*there && (*there)->size == size) {
    Status locked = lock_again(kind, key, **there);
    if (!locked) return base::fail(about("cannot lock", kind, id, std::move(locked).error()));
    return {};
  }
  return upload(kind, id, parts, size, /*only_new=*/!there->has_value());
}

Status S3Store::upload(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts, std::uint64_t size,
                       bool only_new) {
  const std::string key = layout_.key(kind, id);
  const bool condition = only_new && takes_conditions_;
  const auto stored = bucket_.put(key, id, parts, condition, lock_time(kind));
  if (stored) return {};
  const s3::Refusal& refusal = stored.error();
  if (condition && refusal.status == 501) {
    takes_conditions_ = false;
    return upload(kind, id, parts, size, only_new);
  }
  if (condition && refusal.status == 412) {
    // By somebody else, or by a try of ours whose answer was lost.
    const auto there = KURA_TRY(bucket_.head(key));
    if (there && there->size == size) return {};
    return upload(kind, id, parts, size, /*only_new=*/false);
  }
  return base::fail(about("cannot store", kind, id, refusal.error));
}

// An object that was stored before holds from now on as long as a new one would; a day more or less is not worth a
// request.
Status S3Store::lock_again(Kind kind, const std::string& key, const S3Bucket::Head& head) {
  const auto until = lock_time(kind);
  constexpr std::int64_t kDay = 24 * 3600 * base::kSecond;
  if (!until || (head.locked_until && *head.locked_until >= *until - kDay)) return {};
  return bucket_.lock(key, *until);
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
  KURA_TRY(base::each_on_threads(kDigits.size(), kListers, [&](std::size_t i) {
    return append_all(kind, layout_.kind_prefix(kind) + kDigits[i], "", parts[i]);
  }));
  std::vector<ObjectInfo> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Status S3Store::remove(Kind kind, const ObjectId& id) {
  const std::string key = layout_.key(kind, id);
  if (is_locked_kind(kind)) {
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
  const auto page =
      KURA_TRY_AS(bucket_.list_page(layout_.kind_prefix(Kind::kConfig), "", 1), "cannot open " + describe());
  if (!page.objects.empty()) return {};
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
                                             const std::stop_token& stop) {
  KURA_TRY_AS(http::load_curl(), "cannot open " + address.text());
  auto store = std::make_unique<S3Store>(address, credentials, stop);
  KURA_TRY(store->need_repository());
  return store;
}

Result<std::unique_ptr<Store>> create_s3_store(const s3::Address& address, const s3::Credentials& credentials,
                                               const std::stop_token& stop) {
  KURA_TRY_AS(http::load_curl(), "cannot open " + address.text());
  auto store = std::make_unique<S3Store>(address, credentials, stop);
  KURA_TRY(store->need_room());
  return store;
}

}  // namespace kura::store
