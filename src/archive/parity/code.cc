#include "archive/parity/code.h"

#include <isa-l.h>

#include <algorithm>
#include <array>

#include "archive/format/limits.h"

namespace kura::archive {
namespace {

constexpr std::size_t kTableSize = 32;  // bytes, for each coefficient: ISA-L's

std::uint8_t coefficient(unsigned shard, unsigned column) {
  return gf_inv(static_cast<std::uint8_t>((kParityColumnLimit + shard) ^ column));
}

// ISA-L takes what it only reads without const.
std::uint8_t* readable(base::ByteSpan bytes) {
  return const_cast<std::uint8_t*>(bytes.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

// The inverse of the square of coefficients of these shards and columns, row after row: a row for each column.
std::vector<std::uint8_t> inverse_of(std::span<const NumberedBytes> shards, std::span<const unsigned> columns) {
  const std::size_t n = columns.size();
  std::vector<std::uint8_t> square, inverse(n * n);
  for (const NumberedBytes& shard : shards) {
    for (const unsigned column : columns) square.push_back(coefficient(shard.number, column));
  }
  gf_invert_matrix(square.data(), inverse.data(), static_cast<int>(n));
  return inverse;
}

}  // namespace

void add_to_shards(unsigned column, base::ByteSpan data, std::span<const base::MutableByteSpan> shards) {
  std::array<std::uint8_t, kParityShardLimit> coefficients{};
  std::array<std::uint8_t*, kParityShardLimit> out{};
  for (unsigned i = 0; i < shards.size(); ++i) {
    coefficients[i] = coefficient(i, column);
    out[i] = shards[i].data();
  }
  std::array<std::uint8_t, kTableSize * kParityShardLimit> tables{};
  const int rows = static_cast<int>(shards.size());
  ec_init_tables(1, rows, coefficients.data(), tables.data());
  ec_encode_data_update(static_cast<int>(data.size()), 1, rows, 0, tables.data(), readable(data), out.data());
}

// With the shards s and the known columns d: for each shard, sum over lost j of c(i, j) x_j = s_i + sum over known j of
// c(i, j) d_j. The inverse of the left side gives x as one combination of all that is known.
void recover_column(unsigned wanted, std::span<const unsigned> lost, std::span<const NumberedBytes> known,
                    std::span<const NumberedBytes> shards, base::MutableByteSpan out) {
  shards = shards.first(lost.size());
  const std::vector<std::uint8_t> inverse = inverse_of(shards, lost);
  const auto row = static_cast<std::size_t>(std::ranges::find(lost, wanted) - lost.begin()) * lost.size();
  std::vector<std::uint8_t> coefficients;
  std::vector<std::uint8_t*> sources;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    coefficients.push_back(inverse[row + i]);
    sources.push_back(readable(shards[i].bytes));
  }
  for (const NumberedBytes& column : known) {
    std::uint8_t sum = 0;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      sum ^= gf_mul(inverse[row + i], coefficient(shards[i].number, column.number));
    }
    coefficients.push_back(sum);
    sources.push_back(readable(column.bytes));
  }
  const int count = static_cast<int>(sources.size());
  std::vector<std::uint8_t> tables(kTableSize * sources.size());
  ec_init_tables(count, 1, coefficients.data(), tables.data());
  std::uint8_t* result = out.data();
  ec_encode_data(static_cast<int>(out.size()), count, 1, tables.data(), sources.data(), &result);
}

std::uint64_t block_checksum(base::ByteSpan bytes, std::uint64_t before) {
  return crc64_ecma_refl(before, bytes.data(), bytes.size());
}

}  // namespace kura::archive
