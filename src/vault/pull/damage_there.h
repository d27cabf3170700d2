// What is damaged at a followed vault, as its journal says, and is here: fed with the journal's entries, each once and
// in order.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "store/object.h"
#include "vault/journal/entry.h"

namespace kura::vault {

// Not shared between threads. Memory: some 60 bytes for each object that is here, however much the journal names.
class DamageThere {
 public:
  using Objects = std::unordered_map<store::ObjectId, store::Kind, base::DigestHash>;

  // `is_here`: whether this vault has such an object.
  explicit DamageThere(std::function<bool(store::Kind, const store::ObjectId&)> is_here)
      : is_here_(std::move(is_here)) {}

  void take(const Entry& entry);
  // Of another journal, from its first entry on.
  void begin_anew();
  std::uint64_t seen() const { return seen_; }  // the last entry's number
  const Objects& objects() const { return objects_; }

 private:
  const std::function<bool(store::Kind, const store::ObjectId&)> is_here_;
  std::uint64_t seen_ = 0;
  Objects objects_;
};

}  // namespace kura::vault
