// The folders above the snapshots, and what the snapshots are called in them.
//
//   latest -> snapshots/2026-03-02T01:00:04Z      the one received last
//   clean -> snapshots/2026-03-01T01:00:05Z       the newest with the verdict clean, if there is one
//   snapshots/2026-03-01T01:00:05Z/               by the machine's time, UTC
//   ids/3f2a9c1d -> ../snapshots/...              as `kura snapshots` shows them
//   hosts/fileserver/2026-03-01T01:00:05Z -> ../../snapshots/..., and hosts/fileserver/latest
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/entry.h"
#include "archive/repo/repository.h"
#include "mount/store_watch.h"

namespace kura::mount {

using SnapshotPtr = std::shared_ptr<const archive::StoredSnapshot>;

// What kind of folder something is, or lies in.
enum class Place { kTop, kSnapshots, kIds, kHosts, kHost, kInSnapshot };

// Something in a folder above the snapshots.
struct CatalogItem {
  archive::Entry entry;              // a folder or a symbolic link
  Place place = Place::kInSnapshot;  // of folders: which one it is
  SnapshotPtr snapshot;              // of a snapshot's own folder
};

// What is there at one time; does not change.
struct CatalogView {
  using Items = std::vector<CatalogItem>;  // in the order of their names
  Items top, snapshots, ids, hosts;
  std::map<std::string, Items> of_host;  // by the name in `hosts`
  SnapshotPtr latest;                    // null when there is none

  // Of the folder `place`; `name` is a host's. Null when there is no such host (any more).
  const Items* items(Place place, const std::string& name) const;
  static const CatalogItem* find(const Items& items, std::string_view name);
};

// The name of each snapshot in `snapshots`: its time; of those with equal times all but the one received first have
// "-" and the beginning of the id behind it. A name so stays when later snapshots come. In the order received.
std::vector<std::string> snapshot_names(const std::vector<archive::StoredSnapshot>& snapshots);

// `snapshots` in the order received, each with its label. Folders belong to this process's user.
CatalogView make_catalog(std::vector<archive::StoredSnapshot> snapshots);

// Keeps a view that is at most some seconds old. Thread-safe.
class Catalog {
 public:
  // All outlive it.
  Catalog(const archive::Repository& repository, StoreWatch& watch, Troubles& troubles)
      : repository_(repository), watch_(watch), troubles_(troubles) {}

  // The first look; an error when the repository cannot be listed.
  base::Status load();
  // Looks for new snapshots when the last look is a while ago: a listing of names in the store, and when these are
  // others than before, reading all. While the store is away, the view stays as it is. Never waits for another thread's
  // look.
  std::shared_ptr<const CatalogView> look();

 private:
  void refresh();

  const archive::Repository& repository_;
  StoreWatch& watch_;
  Troubles& troubles_;
  std::mutex looking_;  // guards what follows
  std::vector<store::ObjectId> known_;
  std::int64_t looked_ = 0;  // steady clock, ns
  base::Guarded<std::shared_ptr<const CatalogView>> view_;
};

}  // namespace kura::mount
