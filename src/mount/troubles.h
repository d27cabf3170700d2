// What goes wrong while a repository is mounted, each cause told once: a program that meets a damaged pack tries again
// a thousand times.
//
// All functions may be called from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <unordered_set>

#include "base/error.h"
#include "base/guarded.h"

namespace kura::mount {

class Troubles {
 public:
  // `path` is below the mount point, or empty when it is about no file.
  using Tell = std::function<void(const std::string& path, const base::Error& error)>;

  explicit Troubles(Tell tell) : tell_(std::move(tell)) {}

  // Tells it unless its message was told before. Of very many, the last ones go untold.
  void met(const std::string& path, const base::Error& error) {
    if (error.code() == base::ErrorCode::kDamaged) met_damage_.store(true);
    if (is_new(error.message())) tell_(path, error);
  }
  // Once mended, it is told again when it comes back.
  void mended(const base::Error& error) { told_.lock()->erase(error.message()); }
  bool met_damage() const { return met_damage_.load(); }

 private:
  static constexpr std::size_t kMostTold = 1000;

  bool is_new(const std::string& message) {
    const auto told = told_.lock();
    return told->size() < kMostTold && told->insert(message).second;
  }

  const Tell tell_;
  base::Guarded<std::unordered_set<std::string>> told_;
  std::atomic<bool> met_damage_{false};
};

}  // namespace kura::mount
