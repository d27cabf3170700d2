// What snapshot objects say, kept in the machine's state: what was once fetched, proven by its name and its signature,
// and opened, is not again. Whether its machine has a certificate, and whether the store lists the object with the size
// that it had, is asked every time; that the object's bytes are still what they were is `kura check`'s question.
//
//   STATE/<config id>/snapshots.cache: magic "KURASNPC", u16 version, config id, u32 number of snapshots, then each, by
//   their ids: id, u64 size of the object, str what it says (its label too); u64 checksum of all bytes before
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/snapshot.h"
#include "store/object.h"

namespace kura::archive {

// Read-only once made, so threads may share it. Memory: the file's bytes.
class SnapshotCache {
 public:
  SnapshotCache() = default;
  // Moved, never copied: what it has read are views of its own bytes.
  SnapshotCache(SnapshotCache&&) = default;
  SnapshotCache& operator=(SnapshotCache&&) = default;

  // One that is absent, foreign or damaged is empty.
  static SnapshotCache read(const std::string& path, const store::ObjectId& config);
  static SnapshotCache decode(base::Bytes file, const store::ObjectId& config);

  // Nothing when the object is not in it. About 2 us.
  std::optional<Snapshot> find(const store::ObjectInfo& object) const;
  std::size_t size() const { return records_.size(); }

  // Of snapshots whose labels are open.
  struct Item {
    store::ObjectId id;
    std::uint64_t size = 0;  // of the object
    const Snapshot* snapshot = nullptr;
  };
  static base::Bytes encode(std::vector<Item> items, const store::ObjectId& config);

 private:
  struct Record {
    store::ObjectId id;
    std::uint64_t size = 0;
    base::ByteSpan text;  // in file_
  };
  base::Bytes file_;
  std::vector<Record> records_;  // by id
};

}  // namespace kura::archive
