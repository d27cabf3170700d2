// What is open, by the numbers that the kernel has for it. When a mount ends while files are open, nobody closes them:
// they go with their table.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/guarded.h"

namespace kura::mount {

template <typename T>
class Handles {
 public:
  std::uint64_t keep(std::unique_ptr<T> opened) {
    const auto number = reinterpret_cast<std::uintptr_t>(opened.get());
    opened_.lock()->emplace(number, std::move(opened));
    return number;
  }
  // `number` is of one that is kept.
  static T& at(std::uint64_t number) { return *reinterpret_cast<T*>(number); }
  void drop(std::uint64_t number) {
    const auto gone = opened_.lock()->extract(number);  // destroyed without the lock
  }

 private:
  base::Guarded<std::unordered_map<std::uint64_t, std::unique_ptr<T>>> opened_;
};

}  // namespace kura::mount
