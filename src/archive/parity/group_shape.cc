#include "archive/parity/group_shape.h"

#include <algorithm>
#include <tuple>

#include "archive/format/limits.h"

namespace kura::archive {
namespace {

// A checksum of 8 bytes for each 64 KiB is an eight-thousandth; rot is a sector or a few.
constexpr std::uint8_t kPackBlockBits = 16;
constexpr std::uint8_t kSmallBlockBits = 10;
constexpr std::uint64_t kFreePackLength = 1U << 20;
constexpr std::uint64_t kSmallGroup = 32U << 20;
// Groups that a plan tries before it begins another: enough for small objects to fill gaps, and quick.
constexpr std::ptrdiff_t kOpenGroups = 8;
// Far below the limit of the list, whatever is backed up.
constexpr std::size_t kMostMembers = 100'000;

}  // namespace

GroupForm pack_groups(const ParityPolicy& policy) {
  return {
      .columns = policy.columns, .shards = policy.shards, .block_bits = kPackBlockBits, .free_length = kFreePackLength};
}

GroupForm small_groups(const ParityPolicy& policy) {
  return {.columns = 1, .shards = policy.shards, .block_bits = kSmallBlockBits, .free_length = kSmallGroup};
}

std::optional<unsigned> GroupShape::add(const ParityMember& member) {
  std::size_t column = group_.columns.size();
  if (column < form_.columns) {
    group_.columns.emplace_back();
    blocks_.push_back(0);
  } else {
    column = static_cast<std::size_t>(std::ranges::min_element(blocks_) - blocks_.begin());
    const std::uint64_t end = (blocks_[column] << form_.block_bits) + member.size;
    if (end > std::max(length_, form_.free_length) || group_.columns[column].size() >= kMostMembers / form_.columns) {
      return std::nullopt;
    }
  }
  length_ = std::max(length_, (blocks_[column] << form_.block_bits) + member.size);
  blocks_[column] += group_.blocks(member.size);
  group_.columns[column].push_back(member);
  return static_cast<unsigned>(column);
}

std::uint64_t GroupShape::last_begin(unsigned column) const {
  return (blocks_[column] - group_.blocks(group_.columns[column].back().size)) << form_.block_bits;
}

std::vector<ParityGroup> plan_groups(const GroupForm& form, std::vector<ParityMember> members) {
  std::ranges::sort(members, [](const ParityMember& a, const ParityMember& b) {
    return std::tuple(b.size, a.kind, a.id) < std::tuple(a.size, b.kind, b.id);
  });
  std::vector<GroupShape> shapes;
  for (const ParityMember& member : members) {
    const auto first = shapes.end() - std::min(kOpenGroups, std::ssize(shapes));
    const bool placed =
        std::any_of(first, shapes.end(), [&](GroupShape& shape) { return shape.add(member).has_value(); });
    if (!placed) shapes.emplace_back(form).add(member);
  }
  std::vector<ParityGroup> groups;
  groups.reserve(shapes.size());
  for (const GroupShape& shape : shapes) groups.push_back(shape.group());
  return groups;
}

std::uint64_t shard_bytes(std::span<const ParityGroup> groups) {
  std::uint64_t bytes = 0;
  for (const ParityGroup& group : groups) bytes += group.shards * group.length();
  return bytes;
}

}  // namespace kura::archive
