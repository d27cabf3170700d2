// The storage of a compound file ([MS-CFB]): sectors, their chains, the directory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::cfb {

enum class EntryType : std::uint8_t { kNone = 0, kStorage = 1, kStream = 2, kRoot = 5 };

struct Entry {
  std::string name;  // ASCII as it is, other characters as UTF-8
  EntryType type = EntryType::kNone;
  std::uint32_t left = 0;
  std::uint32_t right = 0;
  std::uint32_t child = 0;
  std::uint32_t start = 0;
  std::uint64_t size = 0;
  std::uint32_t parent = 0;
  bool reached = false;
};

// What is read of a file; at most kMostSectors numbers are kept of its allocation table.
struct Storage {
  std::uint32_t sector_shift = 9;
  std::uint64_t sectors = 0;            // that the file has room for, the last one perhaps in part
  std::vector<std::uint32_t> fat;       // [MS-CFB] 2.3
  std::vector<std::uint32_t> mini_fat;  // 2.4
  std::vector<Range> mini_stream;       // where its pieces lie in the file
  std::vector<Entry> entries;
  std::uint64_t used = 0;  // sectors in chains

  std::uint64_t sector_size() const { return 1ULL << sector_shift; }
  std::uint64_t offset_of(std::uint64_t sector) const { return (sector + 1) << sector_shift; }
};

inline constexpr std::uint64_t kMostSectors = 4ULL << 20;
inline constexpr std::uint64_t kMiniCutoff = 4096;

// Reads and proves it; a report that is not kWhole ends the judging.
Report read_storage(Window& in, Budget& budget, Storage& storage, std::vector<std::vector<Range>>& contents);

// A stream's bytes, by the places where they lie.
class StreamInput final : public Input {
 public:
  StreamInput(Window& in, const std::vector<Range>& places, std::uint64_t size);
  std::uint64_t size() const override { return size_; }
  base::Result<std::size_t> read(std::uint64_t offset, base::MutableByteSpan into) override;
  // Where a byte of the stream lies in the file.
  std::uint64_t place(std::uint64_t offset) const;

 private:
  std::size_t piece(std::uint64_t offset) const;

  Window* in_;
  const std::vector<Range>* places_;
  std::vector<std::uint64_t> begins_;  // of each place in the stream
  std::uint64_t size_;
};

}  // namespace kura::detect::cfb
