// Leases and lists of condemned objects (docs/format.md, section 9).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "store/object.h"

namespace kura::archive {

enum class LeasePurpose : std::uint8_t { kBackup = 1, kCopy = 2, kRead = 3 };
using SessionId = std::array<std::uint8_t, 16>;

struct LeaseObject {
  SessionId session{};
  LeasePurpose purpose = LeasePurpose::kBackup;
  std::int64_t start = 0;      // store's clock, ns; 0 in a session's first lease
  std::uint32_t renewals = 0;  // how often it was renewed: gives each renewal a name of its own

  friend bool operator==(const LeaseObject&, const LeaseObject&) = default;
  base::Bytes encode() const;
  static base::Result<LeaseObject> decode(base::ByteSpan object);
};

struct CondemnedObject {
  std::vector<store::ObjectId> packs;
  std::vector<store::ObjectId> indexes;

  friend bool operator==(const CondemnedObject&, const CondemnedObject&) = default;
  base::Bytes encode() const;
  static base::Result<CondemnedObject> decode(base::ByteSpan object);
};

}  // namespace kura::archive
