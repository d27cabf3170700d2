// Where in the stream of chunks each byte of a file lies. Made once when a file is opened, shared by all who have it
// open; each question is a binary search.
//
// Memory: 44 bytes a chunk (about 1 MiB of the file), 24 bytes a piece of a sparse file. Does not change.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "archive/restore/file_contents.h"

namespace kura::mount {

class FileTable {
 public:
  // kDamaged when a chunk is in no index, or the chunks do not add up to the file.
  static base::Result<FileTable> of(archive::PackReader& reader, const archive::Entry& file) {
    return FileTable(KURA_TRY(archive::FileContents::of(reader, file)));
  }
  explicit FileTable(archive::FileContents contents);

  // A part of a read, in the order of the file: `size` bytes from `offset` of a chunk, or zeros.
  struct Part {
    std::optional<std::size_t> chunk;  // nothing: a hole
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  // The parts that the `size` bytes from `offset` are; fewer bytes at the end of the file.
  std::vector<Part> parts(std::uint64_t offset, std::size_t size) const;

  const std::vector<archive::ChunkId>& ids() const { return contents_.ids; }
  std::uint32_t chunk_size(std::size_t number) const { return contents_.sizes[number]; }
  std::uint64_t size() const { return contents_.size; }
  // As lseek(2) has it for SEEK_DATA and SEEK_HOLE; the end of the file is a hole. nullopt: ENXIO.
  std::optional<std::uint64_t> next_data(std::uint64_t offset) const;
  std::optional<std::uint64_t> next_hole(std::uint64_t offset) const;

 private:
  using Piece = archive::FileContents::Piece;

  // The first piece that ends after `offset` of the file.
  std::vector<Piece>::const_iterator piece_after(std::uint64_t offset) const;
  void add_data(std::vector<Part>& parts, std::uint64_t data_offset, std::size_t size) const;

  archive::FileContents contents_;
  std::vector<std::uint64_t> starts_;  // of the chunks, in their stream
};

}  // namespace kura::mount
