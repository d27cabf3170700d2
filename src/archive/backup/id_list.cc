#include "archive/backup/id_list.h"

#include <utility>

namespace kura::archive {
namespace {

bool is_cut(const std::vector<ChunkId>& ids) {
  if (ids.size() < IdList::kLeast) return false;
  return ids.size() >= IdList::kMost || (base::DigestHash()(ids.back()) & IdList::kCutMask) == 0;
}

}  // namespace

base::Status IdList::add(std::size_t depth, const ChunkId& id) {
  Level& level = levels_[depth];
  level.ids.push_back(id);
  // The topmost level is never folded: with hundreds of ids in a list, that is beyond any file's size.
  if (depth < kContentDepthLimit && is_cut(level.ids)) return fold(depth);
  return {};
}

void IdList::keep_below(const std::vector<ChunkId>& ids) {
  if (!below_complete_) return;
  if (below_.size() + ids.size() > kMostBelow) {
    below_complete_ = false;
    below_ = {};
    return;
  }
  below_.insert(below_.end(), ids.begin(), ids.end());
}

base::Status IdList::fold(std::size_t depth) {
  Level& level = levels_[depth];
  static_assert(sizeof(ChunkId) == 32);
  const base::ByteSpan text{level.ids.data()->bytes.data(), level.ids.size() * sizeof(ChunkId)};
  const ChunkId list = KURA_TRY(lane_->put(Content::kListing, text));
  keep_below(level.ids);
  level.ids.clear();
  level.folded = true;
  return add(depth + 1, list);
}

base::Result<WrittenContent> IdList::finish() {
  std::size_t depth = 0;
  while (levels_[depth].folded || levels_[depth].ids.size() > kInline) {
    if (depth == kContentDepthLimit) break;
    if (!levels_[depth].ids.empty()) KURA_TRY(fold(depth));
    ++depth;
  }
  WrittenContent content;
  content.ref = {.depth = static_cast<std::uint8_t>(depth), .ids = std::move(levels_[depth].ids)};
  content.below = std::exchange(below_, {});
  content.below_complete = std::exchange(below_complete_, true);
  levels_ = {};
  return content;
}

}  // namespace kura::archive
