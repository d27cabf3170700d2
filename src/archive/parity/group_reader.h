// Recovers an object of a parity group from what is left of the group, row by row.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "archive/parity/inventory.h"

namespace kura::archive {

struct Recovered {
  base::Bytes bytes;  // of the object, as its name says
  std::uint64_t blocks = 0, blocks_lost = 0;
};

// Not shared between threads. Memory: 1 MiB for each column and shard, beside the object. `store` and `group` outlive
// it.
class GroupReader {
 public:
  // kDamaged when no shard tells the checksums.
  static base::Result<GroupReader> open(store::Store& store, const StoredGroup& group);

  // Reads what is left of the object, and of the others and the shards only those rows in which it has lost something.
  // kDamaged, and how many blocks of which rows are lost, when that is too little, or when it does not make the object
  // that the name says. Other errors are the store's.
  base::Result<Recovered> recover(const ParityInventory::Place& place, const std::stop_token& stop);

 private:
  GroupReader(store::Store& store, const StoredGroup& group) : store_(store), group_(group) {}

  // A piece of some rows of one column or shard: its bytes, padded with zeros, and which blocks are as they were.
  struct Rows {
    base::Bytes bytes;
    std::vector<bool> good;
  };
  struct Failure {
    std::uint64_t rows = 0, first_row = 0, lost = 0, shards = 0;  // of the first such row: lost blocks, good shards
  };
  // `count` blocks from block `first` of an object or shard that begins at byte `begin` of the stored object. `out` has
  // room for all of them. Appends to `good`.
  base::Status read_blocks(store::Kind kind, const store::ObjectId& id, std::uint64_t begin, std::uint64_t size,
                           std::uint64_t first_checksum, std::uint64_t first, std::uint64_t count,
                           base::MutableByteSpan out, std::vector<bool>& good);
  base::Result<Rows> read_column(std::size_t column, std::uint64_t row, std::uint64_t count);
  base::Result<Rows> read_shard(std::size_t number, std::uint64_t row, std::uint64_t count);
  // Rows [row, row + count), in which the object has lost every block.
  base::Status recover_rows(std::size_t column, std::uint64_t row, std::uint64_t count, base::MutableByteSpan out,
                            Failure& failure);

  store::Store& store_;
  const StoredGroup& group_;
  std::vector<std::uint64_t> checksums_;
  std::vector<std::vector<std::uint64_t>> first_checksum_;  // by column and object
  std::vector<std::uint64_t> shard_checksum_;               // by shard: where its checksums begin
  std::uint64_t body_begin_ = 0;                            // in a shard's object
};

}  // namespace kura::archive
