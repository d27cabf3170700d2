// Which chunks a file is made of, and where in it their bytes go.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "archive/format/entry.h"
#include "archive/repo/pack_reader.h"

namespace kura::archive {

struct FileContents {
  // Data of a sparse file, as it lies in the stream of chunks and in the file.
  struct Piece {
    std::uint64_t data_offset;
    std::uint64_t file_offset;
    std::uint64_t size;
  };

  std::uint64_t size = 0;  // of the file
  bool is_sparse = false;
  std::vector<Piece> pieces;  // sparse: in order
  std::vector<ChunkId> ids;
  std::vector<std::uint32_t> sizes;  // of the chunks

  // kDamaged when a chunk is in no index, or the chunks do not add up to the file.
  static base::Result<FileContents> of(PackReader& reader, const Entry& file);

  // Calls `take(file offset, part)` for the parts of the file that `data` at `data_offset` of the stream of chunks are,
  // until it returns false.
  template <typename Span, typename Take>
  bool place(std::uint64_t data_offset, Span data, Take take) const {
    if (!is_sparse) return take(data_offset, data);
    auto piece = std::upper_bound(pieces.begin(), pieces.end(), data_offset,
                                  [](std::uint64_t offset, const Piece& each) { return offset < each.data_offset; });
    if (piece != pieces.begin()) --piece;
    for (; piece != pieces.end() && !data.empty(); ++piece) {
      const std::uint64_t skip = data_offset - piece->data_offset;
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), piece->size - skip));
      if (!take(piece->file_offset + skip, data.first(count))) return false;
      data_offset += count;
      data = data.subspan(count);
    }
    return true;
  }
};

}  // namespace kura::archive
