#include "vault/journal/chain.h"

#include <fmt/format.h>

namespace kura::vault {
namespace {

base::Error broken(std::uint64_t sequence, std::string_view why) {
  return {base::ErrorCode::kDamaged, fmt::format("the journal is broken at entry {}: {}", sequence, why),
          "compare it with the other vault's, and with receipts: what comes after this entry proves nothing"};
}

}  // namespace

base::Status JournalChain::follows(const Entry& entry) const {
  const std::uint64_t next = head_.sequence + 1;
  if (entry.sequence != next) {
    return base::fail(broken(next, fmt::format("the entry there says it is number {}", entry.sequence)));
  }
  if (entry.before != head_.hash) return base::fail(broken(next, "it does not follow the one before"));
  if (head_.sequence != 0 && entry.time < head_.time) {
    return base::fail(broken(next, "its time is before that of the one before"));
  }
  if ((entry.event.type == EventType::kBegin) != (next == 1)) {
    return base::fail(broken(next, "a journal begins once, with its first entry"));
  }
  return {};
}

base::Result<Entry> JournalChain::take(base::ByteSpan whole, Check check) {
  base::Result<Entry> entry = Entry::decode(whole);
  if (!entry && entry.error().code() == base::ErrorCode::kUnsupported) return entry;
  if (!entry) return base::fail(broken(head_.sequence + 1, entry.error().message()));
  KURA_TRY(follows(*entry));
  const crypto::PublicKey vault = vault_.value_or(entry->event.key);
  if (entry->sequence == 1 && entry->event.key != vault) {
    return base::fail(broken(1, "it is another vault's journal"));
  }
  if (check == Check::kSignature && !is_signed_by(whole, vault)) {
    return base::fail(broken(entry->sequence, "its signature is not the vault's"));
  }
  vault_ = vault;
  head_ = {.sequence = entry->sequence, .hash = hash_of(whole), .time = entry->time};
  return entry;
}

}  // namespace kura::vault
