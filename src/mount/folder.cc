#include "mount/folder.h"

#include <algorithm>
#include <utility>

namespace kura::mount {

using archive::Entry;
using archive::ListingReader;
using base::Result;
using base::Status;

// Not under the lock: a store may be slow. Two threads that do it at once do the same.
Status Folder::set_marks(const Fetch& fetch) {
  {
    const std::lock_guard lock(mutex_);
    if (is_marked_) return {};
  }
  std::vector<Mark> marks;
  ListingReader listing(fetch, chunks_, {});
  for (std::size_t number = 0;; ++number) {
    const ListingReader::Position position = listing.position();
    const std::optional<Entry> entry = KURA_TRY(listing.next());
    if (!entry) break;
    if (number % kEntriesPerMark == 0) marks.push_back({entry->name, position});
  }
  marks.shrink_to_fit();
  const std::lock_guard lock(mutex_);
  if (is_marked_) return {};
  marks_ = std::move(marks);
  is_marked_ = true;
  return {};
}

// nullopt when it would come before all entries.
std::optional<ListingReader::Position> Folder::mark_before(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto after =
      std::ranges::upper_bound(marks_, name, {}, [](const Mark& mark) -> std::string_view { return mark.name; });
  if (after == marks_.begin()) return std::nullopt;
  return (after - 1)->position;
}

Result<std::optional<Entry>> Folder::find(std::string_view name, const Fetch& fetch) {
  KURA_TRY(set_marks(fetch));
  const std::optional<ListingReader::Position> start = mark_before(name);
  if (!start) return std::nullopt;
  ListingReader listing(fetch, chunks_, *start);
  for (;;) {
    std::optional<Entry> entry = KURA_TRY(listing.next());
    if (!entry || entry->name > name) return std::nullopt;
    if (entry->name == name) return entry;
  }
}

Result<ListingReader> Folder::from(std::uint64_t number, const Fetch& fetch) const {
  std::uint64_t at = 0;
  ListingReader::Position start{};
  {
    const std::lock_guard lock(mutex_);
    if (!marks_.empty()) {
      const std::uint64_t mark = std::min<std::uint64_t>(number / kEntriesPerMark, marks_.size() - 1);
      at = mark * kEntriesPerMark;
      start = marks_[mark].position;
    }
  }
  ListingReader listing(fetch, chunks_, start);
  for (; at < number; ++at) {
    if (!KURA_TRY(listing.next())) break;
  }
  return listing;
}

}  // namespace kura::mount
