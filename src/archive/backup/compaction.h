// Compaction without keys to read: packs of which little is used are rewritten from the machine's own source files.
//
// Garbage collection frees a pack only when nothing in it is needed any more. As files change and snapshots go, packs
// become sparse: a few chunks keep all the rest. Nobody but the recovery key can take these chunks out, but the machine
// still has them in its source. So a backup takes no notice of a sparse pack: what of it the source still has is stored
// anew, beside what is new anyway. Snapshots from then on do not name the pack, and garbage collection frees it once
// those before are forgotten.
//
// That costs a second copy of the live chunks for as long as the snapshots before stay, and saves the rest of the pack
// for as long after that as it would have been needed. A pack is rewritten when what is saved, in bytes times time, is
// well above what is paid: the cost-benefit rule of a log-structured file system's cleaner (Rosenblum and Ousterhout,
// "The design and implementation of a log-structured file system", ACM TOCS 1992), with the time that snapshots hold on
// to the old pack in the place of reading it. So most is done when a snapshot is made that will stay long (the first of
// a month), and nothing where no snapshot is ever forgotten.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/backup/pack_uses.h"
#include "archive/repo/chunk_index.h"
#include "archive/repo/repository.h"

namespace kura::archive {

// What a backup makes of each pack that is there. Where a chunk lies in several, one that is in use is leaned on, so
// that packs that were rewritten come out of use; one that is not, only for chunks that are nowhere else.
enum class PackRole : std::uint8_t { kIdle, kInUse, kSparse };

struct CompactionPlan {
  std::vector<PackRole> roles;  // by the packs' numbers in the chunk index; empty: all are in use
  std::uint64_t limit = 0;      // bytes of chunks in sparse packs, before compression, that are stored anew at most
};

// A pack as the rule sees it.
struct PackState {
  std::uint64_t stored = 0;     // bytes of the object
  std::uint64_t bytes = 0;      // of all its chunks, before compression
  std::uint64_t used = 0;       // of those that the newest snapshots use
  std::uint64_t used_here = 0;  // and of those among them that this backup would store anew
  std::int64_t held = 0;        // ns: how long snapshots that are there will need it
  std::int64_t wanted = 0;      // ns: how long it would be needed if it is not rewritten
};
// Which to rewrite, by their numbers: first those with the most benefit for its cost, and no more than `limit` bytes of
// `used_here` in all. Pure.
std::vector<std::size_t> choose_sparse(std::span<const PackState> packs, std::uint64_t limit);

// What this machine's newest snapshots use, and what to do about it in its next one.
class Compaction {
 public:
  // `limit` as in CompactionPlan; nothing: a tenth of what the last snapshot of the series uses, or 64 MiB if that is
  // more. `now` is the machine's clock, ns since 1970. `snapshots`: all that there are. Reads the clear part of indexes
  // where a series' newest snapshot is not this machine's own or not remembered: what such a snapshot needs is left
  // alone, since nobody here knows how much it uses. Whatever cannot be read is damage that others tell of; then
  // nothing is sparse.
  static base::Result<Compaction> prepare(const Repository& repository, const ChunkIndex& known,
                                          std::vector<StoredSnapshot> snapshots, const Series& series,
                                          std::optional<std::uint64_t> limit, std::int64_t now);

  const CompactionPlan& plan() const { return plan_; }
  // When the series began to use the pack: PackUse::since.
  std::int64_t since(const store::ObjectId& pack) const;

 private:
  CompactionPlan plan_;
  std::vector<PackUse> before_;  // of the series' last backup, sorted by pack
};

// Where the uses of a series are kept.
std::string pack_uses_path(const MachineState& state, const Series& series);

}  // namespace kura::archive
