#include "detect/documents/cfb_storage.h"

#include <algorithm>
#include <cstring>

namespace kura::detect::cfb {
namespace {

constexpr std::uint32_t kFree = 0xFFFFFFFF;
constexpr std::uint32_t kLargestSector = 0xFFFFFFFA;  // larger numbers are marks
constexpr std::size_t kEntrySize = 128;
constexpr std::size_t kMostEntries = 1U << 17;

void add_place(std::vector<Range>& places, Range next) {
  if (!places.empty() && places.back().end() == next.offset)
    places.back().size += next.size;
  else
    places.push_back(next);
}

void add_utf8(std::string& text, std::uint16_t unit) {
  if (unit < 0x80) {
    text += static_cast<char>(unit);
    return;
  }
  if (unit >= 0x800) text += static_cast<char>(0xE0 | unit >> 12);
  text += static_cast<char>(unit >= 0x800 ? 0x80 | (unit >> 6 & 0x3F) : 0xC0 | unit >> 6);
  text += static_cast<char>(0x80 | (unit & 0x3F));
}

// A zero ends a name, and its length counts it, or not, by some writers.
bool name_ends(base::ByteSpan bytes, std::size_t length) {
  if (length < 2) return true;
  const bool counted = little<std::uint16_t>(bytes, (length - 2) & ~1U) == 0;
  return counted || (length < 64 && little<std::uint16_t>(bytes, length & ~1U) == 0);
}

class Reader {
 public:
  Reader(Window& in, Budget& budget, Storage& storage) : in_(in), budget_(budget), storage_(storage) {}
  Report run(std::vector<std::vector<Range>>& contents);

 private:
  bool header();
  bool allocation_table();
  bool table_sector(std::uint32_t sector);
  bool mini_table();
  bool directory();
  bool entry(base::ByteSpan bytes, std::size_t index);
  bool tree();
  bool streams(std::vector<std::vector<Range>>& contents);
  bool mini_chain(const Entry& entry, std::vector<Range>& places);
  // Follows a chain; `wanted` bytes, or to its end when 0.
  bool chain(std::uint32_t start, std::uint64_t wanted, std::string_view whose, std::vector<Range>& places);
  bool fail(std::uint64_t at, std::string evidence) {
    report_ = broken(at, std::move(evidence));
    return false;
  }
  bool spent() {
    report_ = over_budget();
    return false;
  }

  Window& in_;
  Budget& budget_;
  Storage& storage_;
  Report report_;
  std::vector<bool> taken_;  // sectors that belong to a chain
  std::vector<bool> mini_taken_;
};

Report Reader::run(std::vector<std::vector<Range>>& contents) {
  if (header() && allocation_table() && directory() && mini_table() && tree()) streams(contents);
  return report_;
}

bool Reader::header() {
  const base::ByteSpan head = in_.at(0, 512);
  if (head.size() < 512) return fail(head.size(), "it ends early, in its header");
  const auto version = little<std::uint16_t>(head, 26);
  storage_.sector_shift = little<std::uint16_t>(head, 30);
  const bool known = (version == 3 || version == 4) && little<std::uint16_t>(head, 28) == 0xFFFE &&
                     (storage_.sector_shift == 9 || storage_.sector_shift == 12) &&
                     little<std::uint16_t>(head, 32) == 6;
  if (!known) return fail(24, "its header has a version or sector size that does not exist");
  const std::uint64_t body = in_.size() - std::min(in_.size(), storage_.sector_size());
  storage_.sectors = (body + storage_.sector_size() - 1) >> storage_.sector_shift;
  if (storage_.sectors > kMostSectors) {
    report_ = undecided("its allocation table is larger than is read here");
    return false;
  }
  taken_.resize(storage_.sectors);
  return true;
}

bool Reader::table_sector(std::uint32_t sector) {
  if (sector >= storage_.sectors || taken_[sector])
    return fail(76, "its header names no such sector of its allocation table");
  taken_[sector] = true;
  const std::uint64_t at = storage_.offset_of(sector);
  const base::ByteSpan bytes = in_.at(at, storage_.sector_size());
  if (!budget_.spend(storage_.sector_size())) return spent();
  for (std::size_t i = 0; i + 4 <= bytes.size() && storage_.fat.size() < storage_.sectors; i += 4) {
    const auto next = little<std::uint32_t>(bytes, i);
    if (next >= storage_.sectors && next <= kLargestSector) {
      return fail(at + i, "its allocation table leads out of the file: it ends early, or the table is damaged");
    }
    storage_.fat.push_back(next);
  }
  return true;
}

// The first 109 sectors of the table are named in the header, the others in sectors of their own (2.5).
bool Reader::allocation_table() {
  const std::uint64_t count = in_.little32(44).value_or(0);
  std::uint64_t done = 0;
  for (; done < std::min<std::uint64_t>(count, 109); ++done) {
    const std::uint32_t sector = in_.little32(76 + 4 * done).value_or(kFree);
    if (sector == kFree) break;
    if (!table_sector(sector)) return false;
  }
  std::uint32_t list = in_.little32(68).value_or(kFree);
  const std::uint64_t each = storage_.sector_size() / 4 - 1;
  while (done < count && done >= 109 && list <= kLargestSector) {
    if (list >= storage_.sectors || taken_[list]) return fail(68, "the list of its allocation table is damaged");
    taken_[list] = true;
    const std::uint64_t at = storage_.offset_of(list);
    for (std::uint64_t i = 0; i < each && done < count; ++i, ++done) {
      const std::uint32_t sector = in_.little32(at + 4 * i).value_or(kFree);
      if (sector == kFree) return true;
      if (!table_sector(sector)) return false;
    }
    list = in_.little32(at + 4 * each).value_or(kFree);
  }
  return true;
}

bool Reader::chain(std::uint32_t start, std::uint64_t wanted, std::string_view whose, std::vector<Range>& places) {
  const std::uint64_t size = storage_.sector_size();
  std::uint64_t got = 0;
  for (std::uint32_t sector = start; wanted == 0 ? sector <= kLargestSector : got < wanted;) {
    if (!budget_.spend(8)) return spent();
    if (sector >= storage_.fat.size()) {
      return fail(sector < storage_.sectors ? storage_.offset_of(sector) : in_.size(),
                  "the chain of sectors of " + std::string(whose) + " ends early");
    }
    if (taken_[sector])
      return fail(storage_.offset_of(sector), "two chains share a sector, one of " + std::string(whose));
    taken_[sector] = true;
    ++storage_.used;
    add_place(places, {storage_.offset_of(sector), size});
    got += size;
    sector = storage_.fat[sector];
  }
  if (!places.empty() && wanted > 0 && got - wanted < size) {
    const std::uint64_t last = places.back().end() - (got - wanted);
    if (last > in_.size()) return fail(in_.size(), "it ends early, in " + std::string(whose));
  }
  return true;
}

bool Reader::directory() {
  std::vector<Range> places;
  if (!chain(in_.little32(48).value_or(kFree), 0, "its directory", places)) return false;
  std::size_t index = 0;
  for (const Range& place : places) {
    for (std::uint64_t i = 0; i < place.size; i += kEntrySize, ++index) {
      const base::ByteSpan bytes = in_.at(place.offset + i, kEntrySize);
      if (!budget_.spend(kEntrySize)) return spent();
      if (bytes.size() < kEntrySize) return fail(in_.size(), "it ends early, in its directory");
      if (index >= kMostEntries) return spent();
      // Some writers let the directory run into what comes behind it: only entries that the tree names count.
      if (!entry(bytes, index)) storage_.entries.back().type = EntryType::kDamaged;
    }
  }
  const bool rooted = !storage_.entries.empty() && storage_.entries[0].type == EntryType::kRoot;
  return rooted || fail(places.empty() ? 48 : places[0].offset, "its directory has no root");
}

// 2.6.1. Of unused entries nothing is asked.
bool Reader::entry(base::ByteSpan bytes, std::size_t index) {
  Entry& made = storage_.entries.emplace_back();
  const std::uint8_t type = bytes[66];
  const auto length = little<std::uint16_t>(bytes, 64);
  if (type == 0) return true;
  if ((type != 1 && type != 2 && type != 5) || length > 64 || bytes[67] > 1 || (type == 5) != (index == 0))
    return false;
  if (index > 0 && !name_ends(bytes, length)) return false;  // what the root is called matters to nobody
  for (std::size_t i = 0; i + 2 < length; i += 2) {
    const auto unit = little<std::uint16_t>(bytes, i);
    if (unit == 0) break;
    add_utf8(made.name, unit);
  }
  made.type = static_cast<EntryType>(type);
  made.left = little<std::uint32_t>(bytes, 68);
  made.right = little<std::uint32_t>(bytes, 72);
  made.child = little<std::uint32_t>(bytes, 76);
  made.start = little<std::uint32_t>(bytes, 116);
  // Version 3 has 32 bits; some writers leave junk in the others.
  made.size = storage_.sector_shift == 9 ? little<std::uint32_t>(bytes, 120) : little<std::uint64_t>(bytes, 120);
  return true;
}

// From each storage to all that lies in it. The tree's balance and order are not asked: writers differ.
bool Reader::tree() {
  std::vector<Entry>& entries = storage_.entries;
  std::vector<std::uint32_t> todo;
  const auto visit = [&](std::uint32_t index, std::uint32_t parent) {
    if (index == kFree) return true;
    if (index >= entries.size() || entries[index].reached) return false;
    if (entries[index].type == EntryType::kNone || entries[index].type == EntryType::kDamaged) return false;
    entries[index].reached = true;
    entries[index].parent = parent;
    todo.push_back(index);
    return true;
  };
  visit(0, 0);
  while (!todo.empty()) {
    const std::uint32_t index = todo.back();
    todo.pop_back();
    if (!budget_.spend(16)) return spent();
    const Entry at = entries[index];
    const bool inner = at.type == EntryType::kStream || visit(at.child, index);
    if (!inner || (index != 0 && (!visit(at.left, at.parent) || !visit(at.right, at.parent)))) {
      return fail(48, "the tree of its directory is damaged at entry " + std::to_string(index));
    }
  }
  return true;
}

bool Reader::mini_table() {
  const Entry& root = storage_.entries[0];
  std::vector<Range> places;
  if (root.size == 0) return true;
  if (!chain(root.start, root.size, "its small streams", storage_.mini_stream)) return false;
  if (!chain(in_.little32(60).value_or(kFree), 0, "its table of small streams", places)) return false;
  const std::uint64_t minis = (root.size + 63) / 64;
  for (const Range& place : places) {
    for (std::uint64_t i = 0; i < place.size && storage_.mini_fat.size() < minis; i += 4) {
      const std::uint32_t next = in_.little32(place.offset + i).value_or(kFree);
      if (!budget_.spend(4)) return spent();
      if (next >= minis && next <= kLargestSector)
        return fail(place.offset + i, "its table of small streams is damaged");
      storage_.mini_fat.push_back(next);
    }
  }
  mini_taken_.resize(storage_.mini_fat.size());
  return true;
}

bool Reader::mini_chain(const Entry& entry, std::vector<Range>& places) {
  StreamInput minis(in_, storage_.mini_stream, storage_.entries[0].size);
  std::uint32_t sector = entry.start;
  for (std::uint64_t got = 0; got < entry.size; got += 64) {
    if (!budget_.spend(8)) return spent();
    if (sector >= storage_.mini_fat.size() || mini_taken_[sector])
      return fail(60, "the chain of a small stream is damaged");
    mini_taken_[sector] = true;
    add_place(places, {minis.place(sector * 64ULL), 64});
    sector = storage_.mini_fat[sector];
  }
  return true;
}

bool Reader::streams(std::vector<std::vector<Range>>& contents) {
  contents.resize(storage_.entries.size());
  for (std::size_t i = 1; i < storage_.entries.size(); ++i) {
    const Entry& at = storage_.entries[i];
    if (at.type != EntryType::kStream || !at.reached || at.size == 0) continue;
    const bool held =
        at.size < kMiniCutoff ? mini_chain(at, contents[i]) : chain(at.start, at.size, "a stream", contents[i]);
    if (!held) return false;
  }
  return true;
}

}  // namespace

Report read_storage(Window& in, Budget& budget, Storage& storage, std::vector<std::vector<Range>>& contents) {
  return Reader(in, budget, storage).run(contents);
}

StreamInput::StreamInput(Window& in, const std::vector<Range>& places, std::uint64_t size)
    : in_(&in), places_(&places), size_(0) {
  for (const Range& place : places) {
    begins_.push_back(size_);
    size_ += place.size;
  }
  size_ = std::min(size_, size);
}

std::size_t StreamInput::piece(std::uint64_t offset) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(begins_, offset) - begins_.begin()) - 1;
}

std::uint64_t StreamInput::place(std::uint64_t offset) const {
  if (begins_.empty()) return 0;
  const std::size_t i = piece(offset);
  return (*places_)[i].offset + (offset - begins_[i]);
}

base::Result<std::size_t> StreamInput::read(std::uint64_t offset, base::MutableByteSpan into) {
  std::size_t done = 0;
  while (done < into.size() && offset + done < size_) {
    const std::size_t i = piece(offset + done);
    const std::uint64_t skip = offset + done - begins_[i];
    const std::uint64_t left = std::min((*places_)[i].size - skip, size_ - offset - done);
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>({left, into.size() - done, Window::kMost}));
    const base::ByteSpan bytes = in_->at((*places_)[i].offset + skip, length);
    if (bytes.empty()) break;
    std::memcpy(into.data() + done, bytes.data(), bytes.size());
    done += bytes.size();
  }
  return done;
}

}  // namespace kura::detect::cfb
