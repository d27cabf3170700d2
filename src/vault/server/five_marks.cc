#include "vault/server/five_marks.h"

#include <algorithm>

#include <fmt/format.h>

namespace kura::vault {

std::string FiveMarks::text() const {
  const auto mark = [](bool is_so) { return is_so ? '+' : '-'; };
  return fmt::format("3{} 2{} 1{} 1{} 0{}", mark(three_copies), mark(two_kinds), mark(one_away), mark(one_immutable),
                     mark(no_errors));
}

FiveMarks five_marks_of(const Holding& holding, bool is_follower) {
  const std::vector<HeldSnapshot> snapshots = holding.snapshots();
  if (snapshots.empty()) return {};
  const std::vector<HeldSnapshot> copied = holding.copied();
  const bool newest_is_copied = std::ranges::find(copied, snapshots.back().id, &HeldSnapshot::id) != copied.end();
  const std::int64_t scrubbed = holding.last_scrubbed();
  return {
      .three_copies = is_follower || newest_is_copied,
      .two_kinds = true,
      .one_away = true,
      .one_immutable = true,
      .no_errors = scrubbed != 0 && holding.now() - scrubbed <= FiveMarks::kScrubbedWithin && holding.damage().empty()};
}

}  // namespace kura::vault
