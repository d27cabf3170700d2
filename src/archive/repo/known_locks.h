// Until when objects are locked in a store, as a machine has seen: a file in its state folder.
//
// magic "KURALOCK", u16 version, u64 number, then each: id, i64 until (ns since 1970); last the SHA-256 of all before.
// A file that is damaged, or is not there, knows nothing. Two jobs that save at the same time: the last one's counts.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "store/object.h"

namespace kura::archive {

class KnownLocks {
 public:
  static KnownLocks load(const std::string& path);

  // ns since 1970; 0 when it is not known.
  std::int64_t until(const store::ObjectId& id) const;
  void set(const store::ObjectId& id, std::int64_t until);
  // Writes the locks that have not ended `now`, where any was set; what goes wrong costs requests, no more.
  void save(const std::string& path, std::int64_t now) const;

 private:
  std::unordered_map<store::ObjectId, std::int64_t, base::DigestHash> known_;
  bool changed_ = false;
};

}  // namespace kura::archive
