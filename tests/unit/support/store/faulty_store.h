// A store that fails or lies on request, around a real one: for tests of those who use stores.
//
//   FaultyStore store(*real);
//   store.fail([](FaultyStore::Call call, Kind kind, const ObjectId&) { return call == FaultyStore::Call::kGet &&
//                                                                            kind == Kind::kPack; });
// Counts its calls. Shared by threads; set it up before they start. `real` outlives it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "store/store.h"

namespace kura::store {

class FaultyStore final : public Store {
 public:
  enum class Call : std::uint8_t { kPut, kGet, kReadAt, kStat, kList, kRemove, kSync, kNow, kReplace };
  using Condition = std::function<bool(Call call, Kind kind, const ObjectId& id)>;
  using Alteration = std::function<void(Kind kind, const ObjectId& id, base::Bytes& object)>;

  explicit FaultyStore(Store& real) : real_(real) {}

  // Calls for which the condition holds do nothing and return `error`. kSync, kNow and kList are asked with a zero id.
  void fail(Condition condition, base::Error error = base::Error(base::ErrorCode::kIo, "a fault of the test"));
  // The n-th call (from 0) of this sort fails, once.
  void fail_nth(Call call, std::size_t n, base::Error error = base::Error(base::ErrorCode::kIo, "a fault of the test"));
  // get() and read_at() give altered bytes without a word, as a dishonest server would: the promise of get() is
  // broken on purpose.
  void alter(Alteration alteration) { alteration_ = std::move(alteration); }
  // The object is not there for get(), read_at(), stat() and list().
  void hide(Kind kind, const ObjectId& id) { hidden_.insert({kind, id}); }

  std::size_t calls(Call call) const { return calls_[static_cast<std::size_t>(call)].load(); }

  using Store::put;
  base::Status put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override;
  base::Status replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override;
  base::Result<base::Bytes> get(Kind kind, const ObjectId& id, std::uint64_t limit) override;
  base::Status read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) override;
  base::Result<ObjectInfo> stat(Kind kind, const ObjectId& id) override;
  base::Result<std::vector<ObjectInfo>> list(Kind kind) override;
  base::Status remove(Kind kind, const ObjectId& id) override;
  base::Status sync() override;
  base::Result<std::int64_t> now() override;
  std::string describe() const override { return real_.describe(); }

 private:
  base::Status begin(Call call, Kind kind, const ObjectId& id);
  base::Status begin_reading(Call call, Kind kind, const ObjectId& id);

  Store& real_;
  Condition condition_;
  base::Error error_{base::ErrorCode::kIo, "a fault of the test"};
  Alteration alteration_;
  std::set<std::pair<Kind, ObjectId>> hidden_;
  std::array<std::atomic<std::size_t>, 9> calls_{};
};

}  // namespace kura::store
