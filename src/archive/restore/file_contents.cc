#include "archive/restore/file_contents.h"

#include <fmt/format.h>

namespace kura::archive {

using base::ErrorCode;
using base::Result;

Result<FileContents> FileContents::of(PackReader& reader, const Entry& file) {
  FileContents contents;
  contents.size = file.size;
  std::uint64_t expected = file.size;
  if (file.extents) {
    contents.is_sparse = true;
    expected = 0;
    std::uint64_t file_offset = 0;
    for (const Extent& extent : *file.extents) {
      file_offset += extent.gap;
      contents.pieces.push_back({.data_offset = expected, .file_offset = file_offset, .size = extent.size});
      file_offset += extent.size;
      expected += extent.size;
    }
  }
  contents.ids = KURA_TRY(reader.leaves(file.content));
  contents.sizes.reserve(contents.ids.size());
  std::uint64_t total = 0;
  for (const ChunkId& id : contents.ids) {
    const std::optional<ChunkPlace> place = reader.index().find(id);
    if (!place) {
      return base::fail(ErrorCode::kDamaged, fmt::format("its chunk {} is in no index of the repository", id.hex()),
                        "run `kura check` to see what is missing");
    }
    contents.sizes.push_back(place->size);
    total += place->size;
    if (place->size == 0 || total > expected) break;
  }
  if (total != expected || contents.sizes.size() != contents.ids.size()) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("its chunks do not add up to the {} bytes the snapshot says", expected),
                      "run `kura check` to see what else is damaged");
  }
  return contents;
}

}  // namespace kura::archive
