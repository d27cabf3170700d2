// Entries of a folder's listing: one file, folder, link or device with all that is known of it (docs/format.md,
// section 8). A listing is the concatenation of its entries, and is chunked like a file's contents.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "archive/format/content.h"
#include "archive/format/judged.h"

namespace kura::archive {

enum class EntryType : std::uint8_t {
  kFile = 1,
  kFolder = 2,
  kSymlink = 3,
  kFifo = 4,
  kCharDevice = 5,
  kBlockDevice = 6,
  kSocket = 7,
};

// S_IFREG and so on.
mode_t type_bits(EntryType type);
// Of st_mode; what the system has and the format has not counts as a file.
EntryType entry_type(mode_t mode);

struct Extent {
  std::uint64_t gap = 0;   // hole before it, bytes
  std::uint64_t size = 0;  // data, bytes

  friend bool operator==(const Extent&, const Extent&) = default;
};

struct Entry {
  EntryType type = EntryType::kFile;
  std::string name;        // any bytes but '/' and zero; not "." or ".."
  std::uint32_t mode = 0;  // 07777
  std::uint32_t uid = 0, gid = 0;
  std::int64_t mtime_seconds = 0;  // rounded down, so also right before 1970
  std::uint32_t mtime_nanoseconds = 0;

  std::uint64_t size = 0;  // files
  ContentRef content;      // files, folders
  std::string target;      // symbolic links
  std::uint32_t device_major = 0, device_minor = 0;
  std::string user, group;                                           // names, empty when unknown
  std::optional<std::pair<std::uint64_t, std::uint64_t>> hard_link;  // device, inode: when it has several names
  std::vector<std::pair<std::string, std::string>> xattrs;           // sorted by name
  std::optional<std::vector<Extent>> extents;                        // sparse files: where the data lie
  std::optional<Judged> judged;                                      // files that were judged

  friend bool operator==(const Entry&, const Entry&) = default;

  // Appends the entry, with its size before it. The caller keeps to what the type has and to kEntryLimit.
  void encode(base::Encoder& out) const;
  // Reads one entry from the front of `listing` and moves it on. kDamaged for anything that docs/format.md does not
  // allow, names above all: what this returns is safe to use as a file name.
  static base::Result<Entry> decode_front(base::ByteSpan& listing);
  // The size in bytes of the first entry in `listing` with its prefix, or nullopt when it is not all there yet: for
  // readers that take a listing in pieces.
  static base::Result<std::optional<std::size_t>> front_size(base::ByteSpan listing);
};

// The most bytes of an entry after its size; only very many extents or attributes come near.
inline constexpr std::size_t kEntryLimit = 16U << 20;

// Bytes that the chunks of a file must have together: without its holes.
std::uint64_t data_size(const Entry& file);

bool is_safe_name(std::string_view name);

}  // namespace kura::archive
