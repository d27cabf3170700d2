// Listings: entries one after another, and contents.
#include "archive/format/entry.h"

#include "support/fuzz_support.h"

namespace kura {

using archive::ContentRef;
using archive::Entry;

namespace {

void try_listing(base::ByteSpan listing) {
  while (!listing.empty()) {
    const auto front = Entry::front_size(listing);
    const base::ByteSpan before = listing;
    const auto entry = [&] {
      const fuzz::AllocationWatch watch(before.size());
      return Entry::decode_front(listing);
    }();
    if (!entry) return;
    fuzz::require(front && *front && **front == before.size() - listing.size(), "an entry has the size it says");
    fuzz::require(archive::is_safe_name(entry->name), "a name is safe");
    const base::Bytes first = fuzz::encoded(*entry);
    base::ByteSpan again = first;
    const auto back = Entry::decode_front(again);
    fuzz::require(back && *back == *entry && again.empty() && fuzz::encoded(*back) == first, "an entry reads back");
  }
}

void try_content(base::ByteSpan bytes) {
  base::Decoder in(bytes);
  const ContentRef content = ContentRef::decode(in);
  if (!in.ok()) return;
  fuzz::require(std::ranges::equal(fuzz::encoded(content), bytes), "a content has one form");
}

}  // namespace

void fuzz::entry(base::ByteSpan input) {
  const fuzz::FuzzInput part(input, 2);
  if (part.choice == 0) {
    try_listing(part.bytes);
  } else {
    try_content(part.bytes);
  }
}

}  // namespace kura
