// Journal entries: one form, and nothing of others is believed.
#include "support/fuzz_support.h"
#include "vault/journal/chain.h"

namespace kura {

void fuzz::journal(base::ByteSpan input) {
  const base::Key seed(base::Bytes(32, 1));
  const auto entry = [&] {
    const fuzz::AllocationWatch watch(input.size());
    return vault::Entry::decode(input);
  }();
  if (!entry) return;
  // All but the signature, and fields that are not known here, comes out as it went in.
  const base::Bytes again = entry->encode(seed);
  const auto read = vault::Entry::decode(again);
  fuzz::require(read && *read == *entry, "what was read can be written and read again");
  vault::JournalChain chain;
  if (chain.take(input)) fuzz::require(entry->sequence == 1 && entry->before.is_zero(), "a journal begins with 1");
}

}  // namespace kura
