// A value that can only be reached through its lock.
//
//   Guarded<std::map<Digest, int>> seen;
//   seen.lock()->insert({id, 1});             // one access
//   auto locked = seen.lock();                // several: unlocked at the end of the scope
//   if (!locked->contains(id)) locked->erase(other);
#pragma once

#include <mutex>
#include <utility>

namespace kura::base {

template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  template <typename Value>
  class Locked {
   public:
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
    Value* operator->() const { return value_; }
    Value& operator*() const { return *value_; }

   private:
    friend class Guarded;
    Locked(std::mutex& mutex, Value& value) : lock_(mutex), value_(&value) {}
    std::unique_lock<std::mutex> lock_;
    Value* value_;
  };

  [[nodiscard]] Locked<T> lock() { return {mutex_, value_}; }
  [[nodiscard]] Locked<const T> lock() const { return {mutex_, value_}; }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

}  // namespace kura::base
