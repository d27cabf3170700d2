// The ids of a stream's chunks, folded into chunks of ids when they are many (docs/format.md, section 8).
#pragma once

#include <array>
#include <vector>

#include "archive/backup/lane.h"
#include "archive/format/content.h"
#include "archive/format/limits.h"

namespace kura::archive {

struct WrittenContent {
  ContentRef ref;
  // The chunks that `ref` does not name itself: those of its id lists and of the stream, in no order. A machine cannot
  // read a list back, so who wants to use the content again has to keep them.
  std::vector<ChunkId> below;
  bool below_complete = true;  // false: more than IdList::kMostBelow, and given up
};

// Lists are cut by the ids in them, not by their number: a file that changed in one place shares the lists of all
// others. Not shared between threads.
class IdList {
 public:
  static constexpr std::size_t kInline = 128;          // ids in a content itself
  static constexpr std::size_t kLeast = 256;           // ids in a list, but for the last
  static constexpr std::size_t kMost = 4096;           // 128 KiB
  static constexpr std::size_t kCutMask = 511;         // a cut every 512 ids beyond the least
  static constexpr std::size_t kMostBelow = 1U << 20;  // 32 MiB; a file of about 1 TiB

  explicit IdList(Lane& lane) : lane_(&lane) {}

  base::Status add(const ChunkId& id) { return add(0, id); }
  // And starts anew.
  base::Result<WrittenContent> finish();

 private:
  struct Level {
    std::vector<ChunkId> ids;  // not in a list yet
    bool folded = false;       // earlier ones are
  };
  base::Status add(std::size_t depth, const ChunkId& id);
  base::Status fold(std::size_t depth);
  void keep_below(const std::vector<ChunkId>& ids);

  Lane* lane_;
  std::array<Level, kContentDepthLimit + 1> levels_;
  std::vector<ChunkId> below_;
  bool below_complete_ = true;
};

}  // namespace kura::archive
