#include "vault/derived/derived.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace kura::vault {
namespace {

using archive::NeededPacks;
using base::Bytes;
using base::ByteSpan;
using base::Status;
using store::ObjectId;

constexpr std::size_t kLongest = kNeedsLimit + 64;  // bytes of a value that is looked at
constexpr std::size_t kPage = 100;                  // rows that are read at once
constexpr std::size_t kLockPage = 10'000;           // the same of locks
constexpr std::size_t kBatch = 200;                 // rows of one statement
constexpr std::size_t kFewLocks = 100;              // for so many, one does not read all

std::array<std::uint8_t, 1> byte_of(store::Kind kind) { return {static_cast<std::uint8_t>(kind)}; }

// "($1, $2, $3), ($1, $2, $4)": `shared` parameters that all rows begin with, then `own` ones of each.
std::string rows_of(std::size_t rows, std::size_t shared, std::size_t own) {
  std::string text;
  for (std::size_t row = 0; row < rows; ++row) {
    text += row == 0 ? "(" : ", (";
    for (std::size_t k = 0; k < shared + own; ++k) {
      text += fmt::format("{}${}", k == 0 ? "" : ", ", (k < shared ? k : k + row * own) + 1);
    }
    text += ")";
  }
  return text;
}

std::string list_of(std::size_t count, std::size_t first) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{}${}", i == 0 ? "" : ", ", first + i);
  return text;
}

Status delete_all(Connection& connection, const std::string& from, std::vector<ByteSpan> shared,
                  std::span<const ObjectId> ids) {
  return connection.transaction([&]() -> Status {
    for (std::size_t done = 0; done < ids.size(); done += kBatch) {
      const auto batch = ids.subspan(done, std::min(kBatch, ids.size() - done));
      std::vector<ByteSpan> parameters = shared;
      for (const ObjectId& id : batch) parameters.push_back(id.span());
      KURA_TRY(connection.run(fmt::format("delete from {} in ({})", from, list_of(batch.size(), shared.size() + 1)),
                              parameters, {}));
    }
    return {};
  });
}

// What other repositories of this name in this vault left, and that this one is there.
Status introduce(Connection& connection, ByteSpan vault, ByteSpan name, ByteSpan identity) {
  return connection.transaction([&]() -> Status {
    for (const char* table : {"kura_needs", "kura_locks"}) {
      KURA_TRY(connection.run(fmt::format("delete from {} where repository in (select id from kura_repositories "
                                          "where vault = $1 and name = $2 and id <> $3)",
                                          table),
                              {vault, name, identity}));
    }
    KURA_TRY(connection.run("delete from kura_repositories where vault = $1 and name = $2 and id <> $3",
                            {vault, name, identity}));
    return connection.run(
        "insert into kura_repositories (id, vault, name) values ($1, $2, $3) on conflict (id) do nothing",
        {identity, vault, name});
  });
}

}  // namespace

Derived::Derived(std::shared_ptr<Database> database, const std::string& name, const base::Digest& identity)
    : database_(std::move(database)),
      identity_(identity),
      key_(database_ == nullptr ? base::Key()
                                : crypto::hkdf_key(database_->seed().span(), identity.span(), "kura derived data v1")) {
  if (database_ == nullptr) return;
  database_->later(name.size(), [name, identity, vault = database_->owner()](Connection& connection) {
    return introduce(connection, vault, base::as_bytes(name), identity.span());
  });
}

bool Derived::read(const std::string& select, std::vector<ByteSpan> parameters, std::size_t page,
                   const std::function<void(const ObjectId&, ByteSpan)>& visit) {
  const std::string statement = fmt::format("{} > ${} order by {} limit {}", select, parameters.size() + 1,
                                            select.substr(select.rfind(' ') + 1), page);
  Bytes last;
  std::size_t rows = page;
  while (rows == page) {
    parameters.emplace_back(last);
    Bytes newest;
    const Status done = database_->now([&](Connection& connection) {
      rows = 0;
      return connection.run(statement, parameters, [&](Row row) {
        ++rows;
        newest.assign(row[0].begin(), row[0].end());
        if (row[0].size() == sizeof(ObjectId::bytes)) visit(ObjectId::from_bytes(row[0]), row[1]);
      });
    });
    if (!done) return false;
    parameters.pop_back();
    last = std::move(newest);
  }
  return true;
}

bool Derived::for_each(std::span<const ObjectId> indexes,
                       const std::function<void(const ObjectId&, const std::vector<NeededPacks>&)>& visit) {
  if (database_ == nullptr) return false;
  const IndexNames names(indexes);
  Records own = records();
  const std::string select = fmt::format(
      "select snapshot, needs from kura_needs where repository = $1 and length(needs) <= {} and snapshot", kLongest);
  return read(select, {identity_.span()}, kPage, [&](const ObjectId& snapshot, ByteSpan value) {
    if (const auto needs = own.decode_needs(snapshot, value, names)) visit(snapshot, *needs);
  });
}

void Derived::remember(const ObjectId& snapshot, std::span<const NeededPacks> needs) {
  if (database_ == nullptr) return;
  std::optional<Bytes> value = records().encode_needs(snapshot, needs);
  if (!value) return;
  const std::size_t size = value->size();
  database_->later(size, [identity = identity_, snapshot, value = *std::move(value)](Connection& connection) {
    return connection.run(
        "insert into kura_needs (repository, snapshot, needs) values ($1, $2, $3) "
        "on conflict (repository, snapshot) do update set needs = excluded.needs",
        {identity.span(), snapshot.span(), value});
  });
}

void Derived::forget(std::vector<ObjectId> snapshots) {
  if (database_ == nullptr || snapshots.empty()) return;
  const std::size_t size = snapshots.size() * sizeof(ObjectId);
  database_->later(size, [identity = identity_, snapshots = std::move(snapshots)](Connection& connection) {
    return delete_all(connection, "kura_needs where repository = $1 and snapshot", {identity.span()}, snapshots);
  });
}

std::vector<store::Lock> Derived::locks(store::Kind kind) {
  std::vector<store::Lock> found;
  if (database_ == nullptr) return found;
  Records own = records();
  const auto byte = byte_of(kind);
  (void)read("select id, locked from kura_locks where repository = $1 and kind = $2 and length(locked) <= 64 and id",
             {identity_.span(), byte}, kLockPage, [&](const ObjectId& id, ByteSpan value) {
               if (const auto lock = own.decode_lock(kind, id, value)) found.push_back(*lock);
             });
  return found;
}

void Derived::fill_in(store::Kind kind, std::span<store::Lock> wanted) {
  for (store::Lock& lock : wanted) lock.until = 0;
  if (database_ == nullptr || wanted.empty()) return;
  std::unordered_map<ObjectId, std::int64_t, base::DigestHash> known;
  if (wanted.size() > kFewLocks) {
    for (const store::Lock& lock : locks(kind)) known.emplace(lock.id, lock.until);
  } else {
    Records own = records();
    const auto byte = byte_of(kind);
    std::vector<ByteSpan> parameters{identity_.span(), byte};
    for (const store::Lock& lock : wanted) parameters.push_back(lock.id.span());
    const std::string statement = fmt::format(
        "select id, locked from kura_locks where repository = $1 and kind = $2 and length(locked) <= 64 and id in ({})",
        list_of(wanted.size(), 3));
    (void)database_->now([&](Connection& connection) {
      return connection.run(statement, parameters, [&](Row row) {
        if (row[0].size() != sizeof(ObjectId::bytes)) return;
        if (const auto lock = own.decode_lock(kind, ObjectId::from_bytes(row[0]), row[1]))
          known[lock->id] = lock->until;
      });
    });
  }
  for (store::Lock& lock : wanted) {
    if (const auto at = known.find(lock.id); at != known.end()) lock.until = at->second;
  }
}

void Derived::remember_locks(store::Kind kind, std::vector<store::Lock> locks) {
  if (database_ == nullptr || locks.empty()) return;
  const std::size_t size = locks.size() * sizeof(store::Lock);
  database_->later(size, [identity = identity_, kind, key = key_, locks = std::move(locks)](Connection& connection) {
    return connection.transaction([&]() -> Status {
      Records own(key);
      const auto byte = byte_of(kind);
      for (std::size_t done = 0; done < locks.size(); done += kBatch) {
        const auto batch = std::span(locks).subspan(done, std::min(kBatch, locks.size() - done));
        std::vector<Bytes> values;
        for (const store::Lock& lock : batch) values.push_back(own.encode_lock(kind, lock));
        std::vector<ByteSpan> parameters{identity.span(), byte};
        for (std::size_t i = 0; i < batch.size(); ++i) {
          parameters.push_back(batch[i].id.span());
          parameters.emplace_back(values[i]);
        }
        KURA_TRY(connection.run(fmt::format("insert into kura_locks (repository, kind, id, locked) values {} "
                                            "on conflict (repository, kind, id) do update set locked = excluded.locked",
                                            rows_of(batch.size(), 2, 2)),
                                parameters, {}));
      }
      return {};
    });
  });
}

void Derived::forget_locks(store::Kind kind, std::vector<ObjectId> ids) {
  if (database_ == nullptr || ids.empty()) return;
  const std::size_t size = ids.size() * sizeof(ObjectId);
  database_->later(size, [identity = identity_, kind, ids = std::move(ids)](Connection& connection) {
    const auto byte = byte_of(kind);
    return delete_all(connection, "kura_locks where repository = $1 and kind = $2 and id", {identity.span(), byte},
                      ids);
  });
}

}  // namespace kura::vault
