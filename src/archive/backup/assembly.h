// Puts the tree together: takes the items in walk order and streams each folder's listing into the folder above.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "archive/backup/batch_window.h"
#include "archive/backup/content_writer.h"
#include "archive/backup/file_cache.h"
#include "archive/backup/problems.h"
#include "archive/format/snapshot.h"
#include "detect/incident/change_ledger.h"

namespace kura::archive {

struct AssemblyCounts {
  SnapshotCounts snapshot;
  std::uint64_t files_new = 0, files_changed = 0, files_unmodified = 0;
  std::uint64_t bytes_read = 0;
};

// Used by one thread. Memory: what of the listings on the way down has not been cut into chunks.
class Assembly {
 public:
  // All outlive it; `cache` and `ledger` may be null.
  Assembly(Lane& lane, const Chunker& listings, FileCacheWriter* cache, detect::ChangeLedger* ledger,
           Problems& problems, base::Progress& progress)
      : lane_(lane), listings_(listings), cache_(cache), ledger_(ledger), problems_(problems), progress_(progress) {}

  // In walk order, beginning with entering "/". What is in the item is used up.
  base::Status take(Item& item);

  // When "/" was left: its listing, and what was counted.
  const ContentRef& root() const { return root_; }
  const AssemblyCounts& counts() const { return counts_; }

 private:
  struct Level {
    Entry folder;
    ContentWriter listing;
    std::size_t path_size;  // of the path of the folder above, to go back to
  };
  base::Status enter(Item& item);
  base::Status leave();
  base::Status entry(Item& item);
  void resolve_link(Item& item);
  void count_file(const Item& item);
  void tell_ledger(const Item& item);
  base::Status append(const Entry& entry);

  Lane& lane_;
  const Chunker& listings_;
  FileCacheWriter* cache_;
  detect::ChangeLedger* ledger_;
  Problems& problems_;
  base::Progress& progress_;
  std::vector<Level> levels_;
  std::string path_;  // of the folder entered last; "" for "/"
  // Files whose further names are still to come.
  std::map<std::pair<std::uint64_t, std::uint64_t>, Item> linked_;
  base::Encoder encoded_;
  ContentRef root_;
  AssemblyCounts counts_;
};

}  // namespace kura::archive
