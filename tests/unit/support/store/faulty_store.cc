#include "support/store/faulty_store.h"

#include <algorithm>
#include <limits>
#include <memory>

#include <fmt/format.h>

namespace kura::store {

using base::ErrorCode;
using base::Result;
using base::Status;

void FaultyStore::fail(Condition condition, base::Error error) {
  condition_ = std::move(condition);
  error_ = std::move(error);
}

void FaultyStore::fail_nth(Call call, std::size_t n, base::Error error) {
  auto seen = std::make_shared<std::atomic<std::size_t>>(0);
  fail([call, n, seen](Call now, Kind, const ObjectId&) { return now == call && seen->fetch_add(1) == n; },
       std::move(error));
}

Status FaultyStore::begin(Call call, Kind kind, const ObjectId& id) {
  calls_[static_cast<std::size_t>(call)].fetch_add(1);
  if (condition_ && condition_(call, kind, id)) return base::fail(error_);
  return {};
}

Status FaultyStore::begin_reading(Call call, Kind kind, const ObjectId& id) {
  KURA_TRY(begin(call, kind, id));
  if (hidden_.contains({kind, id})) {
    return base::fail(ErrorCode::kNotFound, fmt::format("{} {} is not in {}", name_of(kind), id.hex(), describe()));
  }
  return {};
}

Status FaultyStore::put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) {
  KURA_TRY(begin(Call::kPut, kind, id));
  return real_.put(kind, id, parts);
}

Status FaultyStore::replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) {
  KURA_TRY(begin(Call::kReplace, kind, id));
  return real_.replace(kind, id, parts);
}

Result<base::Bytes> FaultyStore::get(Kind kind, const ObjectId& id, std::uint64_t limit) {
  KURA_TRY(begin_reading(Call::kGet, kind, id));
  Result<base::Bytes> object = real_.get(kind, id, limit);
  if (object && alteration_) alteration_(kind, id, *object);
  return object;
}

Status FaultyStore::read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) {
  KURA_TRY(begin_reading(Call::kReadAt, kind, id));
  if (!alteration_) return real_.read_at(kind, id, offset, out);
  base::Bytes object = KURA_TRY(real_.get(kind, id, std::numeric_limits<std::uint64_t>::max()));
  alteration_(kind, id, object);
  if (offset > object.size() || out.size() > object.size() - offset) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("{} {} ends at byte {}", name_of(kind), id.hex(), object.size()));
  }
  std::ranges::copy_n(object.begin() + static_cast<std::ptrdiff_t>(offset), static_cast<std::ptrdiff_t>(out.size()),
                      out.begin());
  return {};
}

Result<ObjectInfo> FaultyStore::stat(Kind kind, const ObjectId& id) {
  KURA_TRY(begin_reading(Call::kStat, kind, id));
  return real_.stat(kind, id);
}

Result<std::vector<ObjectInfo>> FaultyStore::list(Kind kind) {
  KURA_TRY(begin(Call::kList, kind, {}));
  std::vector<ObjectInfo> objects = KURA_TRY(real_.list(kind));
  std::erase_if(objects, [&](const ObjectInfo& object) { return hidden_.contains({kind, object.id}); });
  return objects;
}

Status FaultyStore::remove(Kind kind, const ObjectId& id) {
  KURA_TRY(begin(Call::kRemove, kind, id));
  return real_.remove(kind, id);
}

Status FaultyStore::sync() {
  KURA_TRY(begin(Call::kSync, Kind::kConfig, {}));
  return real_.sync();
}

Result<std::int64_t> FaultyStore::now() {
  KURA_TRY(begin(Call::kNow, Kind::kConfig, {}));
  return real_.now();
}

}  // namespace kura::store
