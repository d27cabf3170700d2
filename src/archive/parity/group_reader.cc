#include "archive/parity/group_reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "archive/parity/code.h"
#include "archive/repo/loss.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;

constexpr std::uint64_t kPiece = 1U << 20;  // bytes of each column and shard that are read at once

}  // namespace

Result<GroupReader> GroupReader::open(store::Store& store, const StoredGroup& group) {
  GroupReader reader(store, group);
  std::uint64_t next = 0;
  for (const auto& column : group.group.columns) {
    auto& firsts = reader.first_checksum_.emplace_back();
    for (const ParityMember& member : column) {
      firsts.push_back(next);
      next += group.group.blocks(member.size);
    }
  }
  for (unsigned i = 0; i < group.group.shards; ++i) {
    reader.shard_checksum_.push_back(next);
    next += group.group.blocks(group.group.length());
  }
  const std::uint64_t size = checksums_size(group.group);
  const std::uint64_t head_size = ParityHead{.number = 0, .group = group.group}.encode().size();
  reader.body_begin_ = head_size + size;
  for (const auto& shard : group.shards) {
    if (!shard) continue;
    base::Bytes bytes(size);
    const Status read = store.read_at(Kind::kParity, shard->id, head_size, bytes);
    if (!read && !is_loss(store, read.error())) return base::fail(read.error());
    auto checksums = read ? decode_checksums(group.group, bytes) : Result<std::vector<std::uint64_t>>({});
    if (!read || !checksums) continue;
    reader.checksums_ = *std::move(checksums);
    return reader;
  }
  return base::fail(ErrorCode::kDamaged, "no shard of its parity group has whole checksums");
}

Status GroupReader::read_blocks(Kind kind, const store::ObjectId& id, std::uint64_t begin, std::uint64_t size,
                                std::uint64_t first_checksum, std::uint64_t first, std::uint64_t count,
                                base::MutableByteSpan out, std::vector<bool>& good) {
  const std::uint64_t block = group_.group.block_size();
  const auto piece = [&](std::uint64_t number, std::uint64_t blocks) {
    const std::uint64_t from = number * block;
    return out.subspan((number - first) * block, std::min(blocks * block, size - from));
  };
  const Status all = store_.read_at(kind, id, begin + first * block, piece(first, count));
  if (!all && !is_loss(store_, all.error())) return all;
  const bool is_gone = !all && all.error().code() == ErrorCode::kNotFound;
  for (std::uint64_t number = first; number < first + count; ++number) {
    const base::MutableByteSpan bytes = piece(number, 1);
    bool is_read = all.has_value();
    if (!is_read && !is_gone) {  // some of them may be readable
      const Status one = store_.read_at(kind, id, begin + number * block, bytes);
      if (!one && !is_loss(store_, one.error())) return one;
      is_read = one.has_value();
    }
    good.push_back(is_read && block_checksum(bytes) == checksums_[first_checksum + number]);
  }
  return {};
}

Result<GroupReader::Rows> GroupReader::read_column(std::size_t column, std::uint64_t row, std::uint64_t count) {
  const std::uint64_t block = group_.group.block_size();
  Rows rows{.bytes = base::Bytes(count * block), .good = {}};
  std::uint64_t begin = 0;  // row in which the object begins
  const auto& members = group_.group.columns[column];
  for (std::size_t m = 0; m < members.size() && begin < row + count; ++m) {
    const std::uint64_t blocks = group_.group.blocks(members[m].size);
    const std::uint64_t from = std::max(row, begin), to = std::min(row + count, begin + blocks);
    if (from < to) {
      KURA_TRY(read_blocks(members[m].kind, members[m].id, 0, members[m].size, first_checksum_[column][m], from - begin,
                           to - from, base::MutableByteSpan(rows.bytes).subspan((from - row) * block), rows.good));
    }
    begin += blocks;
  }
  rows.good.resize(count, true);  // where nothing is there are zeros
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!rows.good[i]) std::ranges::fill(base::MutableByteSpan(rows.bytes).subspan(i * block, block), 0);
  }
  return rows;
}

Result<GroupReader::Rows> GroupReader::read_shard(std::size_t number, std::uint64_t row, std::uint64_t count) {
  Rows rows{.bytes = base::Bytes(count * group_.group.block_size()), .good = {}};
  const auto& shard = group_.shards[number];
  if (shard) {
    KURA_TRY(read_blocks(Kind::kParity, shard->id, body_begin_, group_.group.length(), shard_checksum_[number], row,
                         count, rows.bytes, rows.good));
  }
  rows.good.resize(count, false);
  return rows;
}

Status GroupReader::recover_rows(std::size_t column, std::uint64_t row, std::uint64_t count, base::MutableByteSpan out,
                                 Failure& failure) {
  std::vector<Rows> columns, shards;
  for (std::size_t i = 0; i < group_.group.columns.size(); ++i) {
    columns.push_back(i == column ? Rows() : KURA_TRY(read_column(i, row, count)));
  }
  for (std::size_t i = 0; i < group_.shards.size(); ++i) shards.push_back(KURA_TRY(read_shard(i, row, count)));
  const std::uint64_t block = group_.group.block_size();
  for (std::uint64_t r = 0; r < count; ++r) {
    std::vector<unsigned> lost;
    std::vector<NumberedBytes> known, usable;
    const auto bytes = [&](const Rows& rows) { return base::ByteSpan(rows.bytes).subspan(r * block, block); };
    for (unsigned i = 0; i < columns.size(); ++i) {
      if (i == column || !columns[i].good[r]) {
        lost.push_back(i);
      } else {
        known.push_back({.number = i, .bytes = bytes(columns[i])});
      }
    }
    for (unsigned i = 0; i < shards.size(); ++i) {
      if (shards[i].good[r]) usable.push_back({.number = i, .bytes = bytes(shards[i])});
    }
    if (lost.size() > usable.size()) {
      if (failure.rows++ == 0) {
        failure = {.rows = 1, .first_row = row + r, .lost = lost.size(), .shards = usable.size()};
      }
      continue;
    }
    recover_column(static_cast<unsigned>(column), lost, known, usable, out.subspan(r * block, block));
  }
  return {};
}

Result<Recovered> GroupReader::recover(const ParityInventory::Place& place, const std::stop_token& stop) {
  const ParityMember& member = group_.group.columns[place.column][place.member];
  const std::uint64_t block = group_.group.block_size();
  const std::uint64_t at_once = std::max<std::uint64_t>(1, kPiece / block);
  Recovered result{.bytes = {}, .blocks = group_.group.blocks(member.size), .blocks_lost = 0};
  result.bytes.resize(result.blocks * block);
  std::uint64_t first_row = 0;
  for (std::size_t m = 0; m < place.member; ++m) {
    first_row += group_.group.blocks(group_.group.columns[place.column][m].size);
  }
  Failure failure;
  for (std::uint64_t from = 0; from < result.blocks; from += at_once) {
    KURA_TRY(base::not_stopped(stop));
    const std::uint64_t to = std::min(result.blocks, from + at_once);
    std::vector<bool> good;
    KURA_TRY(read_blocks(member.kind, member.id, 0, member.size, first_checksum_[place.column][place.member], from,
                         to - from, base::MutableByteSpan(result.bytes).subspan(from * block), good));
    for (std::uint64_t i = from; i < to;) {
      std::uint64_t end = i;
      while (end < to && !good[end - from]) ++end;
      if (end > i) {
        result.blocks_lost += end - i;
        KURA_TRY(recover_rows(place.column, first_row + i, end - i,
                              base::MutableByteSpan(result.bytes).subspan(i * block, (end - i) * block), failure));
      }
      i = std::max(end, i + 1);
    }
  }
  if (failure.rows > 0) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("{} of its {} blocks are lost, and {} of them cannot be recovered: row {} of its "
                                  "parity group has lost {} blocks and has {} of {} shards left",
                                  result.blocks_lost, result.blocks, failure.rows, failure.first_row, failure.lost,
                                  failure.shards, group_.shards.size()));
  }
  result.bytes.resize(member.size);
  if (crypto::sha256(result.bytes) != member.id) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("{} of its {} blocks were lost, and what the parity makes of them does not match the "
                                  "name",
                                  result.blocks_lost, result.blocks));
  }
  return result;
}

}  // namespace kura::archive
