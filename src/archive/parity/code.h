// The Reed-Solomon code of parity groups, by ISA-L: bytes are elements of GF(2^8) with the polynomial 0x11d.
//
// Shard i is the sum over all columns j of c(i, j) * column j, where c(i, j) is the inverse of (128 + i) xor j. These
// are the rows of a Cauchy matrix: any square part of it can be inverted, so any u columns follow from the others and
// any u shards. It does not depend on how many columns there are; one that is not there is zeros.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace kura::archive {

// Adds c(i, column) * data to each shard i. All spans are as long as `data`.
void add_to_shards(unsigned column, base::ByteSpan data, std::span<const base::MutableByteSpan> shards);

struct NumberedBytes {
  unsigned number = 0;  // of a column or of a shard
  base::ByteSpan bytes;
};
// What column `wanted` is, from the columns that are known and from at least as many shards as are lost. A column that
// is neither known nor lost is zeros. `lost` contains `wanted`; all spans are as long as `out`.
void recover_column(unsigned wanted, std::span<const unsigned> lost, std::span<const NumberedBytes> known,
                    std::span<const NumberedBytes> shards, base::MutableByteSpan out);

// Of a block, to tell a damaged one: CRC-64 as in xz (ECMA-182, reflected). Not proof against a person, and need not
// be: what is put together of blocks is compared with its SHA-256 before it goes anywhere.
// `before` is that of what comes before in the same block.
std::uint64_t block_checksum(base::ByteSpan bytes, std::uint64_t before = 0);

}  // namespace kura::archive
