#include "mount/file_table.h"

namespace kura::mount {

FileTable::FileTable(archive::FileContents contents) : contents_(std::move(contents)) {
  starts_.reserve(contents_.sizes.size());
  std::uint64_t start = 0;
  for (const std::uint32_t size : contents_.sizes) {
    starts_.push_back(start);
    start += size;
  }
}

std::vector<FileTable::Piece>::const_iterator FileTable::piece_after(std::uint64_t offset) const {
  return std::ranges::upper_bound(contents_.pieces, offset, {},
                                  [](const Piece& piece) { return piece.file_offset + piece.size; });
}

void FileTable::add_data(std::vector<Part>& parts, std::uint64_t data_offset, std::size_t size) const {
  auto number = static_cast<std::size_t>(std::ranges::upper_bound(starts_, data_offset) - starts_.begin()) - 1;
  for (; size > 0; ++number) {
    const auto skip = static_cast<std::size_t>(data_offset - starts_[number]);
    const std::size_t count = std::min<std::size_t>(size, contents_.sizes[number] - skip);
    parts.push_back({.chunk = number, .offset = skip, .size = count});
    data_offset += count;
    size -= count;
  }
}

std::vector<FileTable::Part> FileTable::parts(std::uint64_t offset, std::size_t size) const {
  std::vector<Part> parts;
  if (offset >= contents_.size) return parts;
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, contents_.size - offset));
  if (!contents_.is_sparse) {
    add_data(parts, offset, size);
    return parts;
  }
  for (auto piece = piece_after(offset); size > 0; ++piece) {
    const std::uint64_t data = piece == contents_.pieces.end() ? contents_.size : piece->file_offset;
    if (offset < data) {
      const auto hole = static_cast<std::size_t>(std::min<std::uint64_t>(size, data - offset));
      parts.push_back({.chunk = std::nullopt, .offset = 0, .size = hole});
      offset += hole;
      size -= hole;
    }
    if (size == 0) break;
    const std::uint64_t skip = offset - piece->file_offset;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size, piece->size - skip));
    add_data(parts, piece->data_offset + skip, count);
    offset += count;
    size -= count;
  }
  return parts;
}

std::optional<std::uint64_t> FileTable::next_data(std::uint64_t offset) const {
  if (offset >= contents_.size) return std::nullopt;
  if (!contents_.is_sparse) return offset;
  const auto piece = piece_after(offset);
  if (piece == contents_.pieces.end()) return std::nullopt;
  return std::max(offset, piece->file_offset);
}

std::optional<std::uint64_t> FileTable::next_hole(std::uint64_t offset) const {
  if (offset >= contents_.size) return std::nullopt;
  if (!contents_.is_sparse) return contents_.size;
  for (auto piece = piece_after(offset); piece != contents_.pieces.end() && piece->file_offset <= offset; ++piece) {
    offset = piece->file_offset + piece->size;  // pieces may touch
  }
  return offset;
}

}  // namespace kura::mount
