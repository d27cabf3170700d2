// Heads of shards and their checksums, as they are and with the hash that their bytes should have.
#include "archive/format/parity.h"

#include "archive/format/limits.h"
#include "crypto/hash.h"
#include "support/fuzz_support.h"

namespace kura {

using archive::ParityGroup;
using archive::ParityHead;

namespace {

void hold_to_promises(const ParityGroup& group) {
  fuzz::require(group.length() <= archive::kParityLengthLimit, "a shard has a bound");
  fuzz::require(!group.columns.empty() && group.columns.size() <= archive::kParityColumnLimit, "there are columns");
  std::uint64_t objects = 0;
  for (const auto& column : group.columns) {
    fuzz::require(!column.empty(), "a column has an object");
    objects += column.size();
  }
  // Each object but the last of a column ends at a block.
  fuzz::require(group.length() < group.data_size() + objects * group.block_size(),
                "a shard is no longer than a column");
  fuzz::require(group.checksum_count() >= objects + group.shards, "each object and shard has a block");
}

void try_head(base::ByteSpan bytes) {
  const auto size = ParityHead::size(bytes.first(std::min(bytes.size(), archive::kParityStartSize)));
  const auto head = [&] {
    const fuzz::AllocationWatch watch(bytes.size());
    return ParityHead::decode(bytes);
  }();
  if (!head) return;
  fuzz::require(size && *size == bytes.size(), "the start of a head tells its size");
  fuzz::require(std::ranges::equal(head->encode(), bytes), "a head has one form");
  hold_to_promises(head->group);
}

// No fuzzer guesses a SHA-256.
base::Bytes hashed_anew(base::ByteSpan bytes) {
  base::Bytes head(bytes.begin(), bytes.end());
  if (head.size() < sizeof(base::Digest)) return head;
  const std::size_t hashed = head.size() - sizeof(base::Digest);
  std::ranges::copy(crypto::sha256(base::ByteSpan(head).first(hashed)).span(),
                    head.begin() + static_cast<std::ptrdiff_t>(hashed));
  return head;
}

void try_checksums(base::ByteSpan bytes) {
  const ParityGroup group{
      .shards = 2, .block_bits = 9, .columns = {{{.id = {}, .size = 700}}, {{.id = {}, .size = 9}}}};
  const auto checksums = archive::decode_checksums(group, hashed_anew(bytes));
  if (!checksums) return;
  fuzz::require(checksums->size() == group.checksum_count(), "there are as many checksums as blocks");
  fuzz::require(std::ranges::equal(archive::encode_checksums(*checksums), hashed_anew(bytes)), "they have one form");
}

}  // namespace

void fuzz::parity(base::ByteSpan input) {
  const fuzz::FuzzInput part(input, 2);
  if (part.choice == 1) {
    try_checksums(part.bytes);
    return;
  }
  try_head(part.bytes);
  try_head(hashed_anew(part.bytes));
}

}  // namespace kura
