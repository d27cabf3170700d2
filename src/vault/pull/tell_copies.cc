// What this vault has of a followed one, told to it: its own journal's entries of the commits, in batches. How far that
// has come is kept in VAULT.told, so that a restart does not begin anew; told twice does no harm.
#include <utility>

#include "base/number.h"
#include "store/atomic_file.h"
#include "vault/holding/copies.h"
#include "vault/pull/repository_follower.h"

namespace kura::vault {
namespace {

using base::Result;
using base::Status;

constexpr std::size_t kPieceToTell = 256U << 10;  // bytes of the journal at a time

struct NextClaim {
  base::Bytes entries;        // the first of the journal, and commits
  std::uint64_t until = 0;    // the last entry that was looked at
  std::size_t snapshots = 0;  // none: there is nothing to tell
};

// Of what comes behind entry `told`.
Result<NextClaim> next_claim(const Journal& journal, std::uint64_t told) {
  NextClaim claim{.entries = KURA_TRY(journal.read(1, 0)), .until = told, .snapshots = 0};
  const base::Bytes piece = KURA_TRY(journal.read(told + 1, kPieceToTell));
  for (const base::ByteSpan whole : KURA_TRY(split_entries(piece))) {
    const Entry entry = KURA_TRY(Entry::decode(whole));
    claim.until = entry.sequence;
    if (entry.event.type != EventType::kCommit) continue;
    claim.entries.insert(claim.entries.end(), whole.begin(), whole.end());
    if (++claim.snapshots == kCopiesInClaim) break;
  }
  return claim;
}

}  // namespace

Fetched<void> RepositoryFollower::tell_copies(Source& source) {
  const auto ours = [](base::Error error) {
    return std::unexpected(FetchFailure{.blame = Blame::kOurs, .error = std::move(error)});
  };
  while (told_ < holding_.journal().head().sequence) {
    const Result<NextClaim> claim = next_claim(holding_.journal(), told_);
    if (!claim) return ours(claim.error());
    if (claim->snapshots > 0) {
      if (auto told = source.tell_copies(holding_.name(), claim->entries); !told) return told;
    }
    told_ = claim->until;
    const Status kept = store::write_small_file(path(".told"), base::as_bytes(std::to_string(told_)));
    if (!kept) return ours(kept.error());
  }
  return {};
}

// What cannot be read was not told.
void RepositoryFollower::load_told() {
  const auto text = store::posix_file_system().read_all(path(".told"), 64);
  told_ = text ? base::parse_number<std::uint64_t>(base::as_text(*text)).value_or(0) : 0;
}

}  // namespace kura::vault
