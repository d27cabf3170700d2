// What a job that writes into a repository leans on: a lease, and the chunks that are there and stay there
// (docs/format.md, section 9).
#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "archive/repo/chunk_index.h"
#include "archive/repo/lease.h"
#include "archive/repo/repository.h"

namespace kura::archive {

class WriteSession {
 public:
  // Takes the lease, then reads what is condemned, then packs and indexes. Packs that are in no index (an interrupted
  // backup left them, or a running one has stored them) are known by their footers. Indexes that are damaged, and packs
  // that are condemned, gone or of another size than their index says, are not leaned on.
  // `with_lease` false: only to look, for dry runs. `repository` outlives it.
  static base::Result<std::unique_ptr<WriteSession>> open(const Repository& repository, LeasePurpose purpose,
                                                          bool with_lease, std::stop_token stop);

  const Repository& repository() const { return repository_; }
  const ChunkIndex& known() const { return known_; }
  // The packs of known() that are in no index, whole.
  const std::vector<IndexedPack>& adopted() const { return adopted_; }

  // Nothing but well when the lease was held all along; else looks whether the objects are still there and not
  // condemned, under a new lease: kConflict when they are not.
  base::Status confirm(const std::vector<store::ObjectId>& packs, const std::vector<store::ObjectId>& indexes);

 private:
  WriteSession(const Repository& repository, LeasePurpose purpose) : repository_(repository), purpose_(purpose) {}
  base::Status load(std::stop_token stop);

  const Repository& repository_;
  const LeasePurpose purpose_;
  std::unique_ptr<Lease> lease_;
  ChunkIndex known_;
  std::vector<IndexedPack> adopted_;
};

}  // namespace kura::archive
