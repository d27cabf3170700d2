// Which objects share a group, and in which column.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "archive/format/config.h"
#include "archive/format/parity.h"

namespace kura::archive {

// Packs stand side by side: a lost one is recovered from the others. The small objects (config, keys, indexes,
// snapshots) stand one after another in a single column, so that each shard alone has all of them: they are a
// thousandth of the packs, and some of them go with every `forget`, which would take from a wider group what it can
// recover.
struct GroupForm {
  unsigned columns = 1;
  std::uint8_t shards = 1;
  std::uint8_t block_bits = 16;
  std::uint64_t free_length = 0;  // bytes; a column may become so long for nothing but its own objects
};
GroupForm pack_groups(const ParityPolicy& policy);
GroupForm small_groups(const ParityPolicy& policy);

// A group while it is filled. An object goes into a column of its own as long as there is one, then to the end of the
// shortest, if the shards do not become longer by it than they are or may be for free.
class GroupShape {
 public:
  explicit GroupShape(const GroupForm& form) : form_(form) {
    group_.shards = form.shards;
    group_.block_bits = form.block_bits;
  }
  // The column that it was put into, or nothing when the group has no room for it.
  std::optional<unsigned> add(const ParityMember& member);
  const ParityGroup& group() const { return group_; }
  bool empty() const { return group_.columns.empty(); }
  // Where the last object of the column begins, bytes.
  std::uint64_t last_begin(unsigned column) const;

 private:
  GroupForm form_;
  ParityGroup group_;
  std::vector<std::uint64_t> blocks_;  // of each column
  std::uint64_t length_ = 0;
};

// Large ones first, so that those in one group are of about one size: shards are as long as the longest.
std::vector<ParityGroup> plan_groups(const GroupForm& form, std::vector<ParityMember> members);

// Bytes of all shards of these.
std::uint64_t shard_bytes(std::span<const ParityGroup> groups);

}  // namespace kura::archive
