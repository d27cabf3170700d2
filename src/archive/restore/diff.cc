#include "archive/restore/diff.h"

#include <optional>
#include <utility>
#include <vector>

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t kDepthLimit = 1U << 16;  // as in tree.cc

// One side of a folder: its listing and the entry that comes next. A side that has no such folder is empty.
class Side {
 public:
  static Result<Side> open(PackReader& reader, const ContentRef* folder) {
    Side side;
    if (folder == nullptr) return side;
    side.listing_ = KURA_TRY(ListingReader::open(reader, *folder));
    KURA_TRY(side.advance());
    return side;
  }

  const std::optional<Entry>& next() const { return next_; }
  Result<std::optional<Entry>> take() {
    std::optional<Entry> taken = std::exchange(next_, std::nullopt);
    KURA_TRY(advance());
    return taken;
  }

 private:
  Status advance() {
    if (listing_) next_ = KURA_TRY(listing_->next());
    return {};
  }
  std::optional<ListingReader> listing_;
  std::optional<Entry> next_;
};

bool has_same_content(const Entry& a, const Entry& b) {
  if (a.type == EntryType::kFolder) return true;  // what is in it is compared on its own
  return a.size == b.size && a.content == b.content && a.extents == b.extents && a.target == b.target &&
         a.device_major == b.device_major && a.device_minor == b.device_minor;
}

bool has_same_metadata(const Entry& a, const Entry& b) {
  return a.mode == b.mode && a.uid == b.uid && a.gid == b.gid && a.mtime_seconds == b.mtime_seconds &&
         a.mtime_nanoseconds == b.mtime_nanoseconds && a.user == b.user && a.group == b.group && a.xattrs == b.xattrs;
}

std::optional<Change> change_between(const std::optional<Entry>& a, const std::optional<Entry>& b) {
  if (!a) return Change::kAdded;
  if (!b) return Change::kRemoved;
  if (a->type != b->type) return Change::kType;
  if (!has_same_content(*a, *b)) return Change::kContent;
  if (!has_same_metadata(*a, *b)) return Change::kMetadata;
  return std::nullopt;
}

const ContentRef* folder_in(const std::optional<Entry>& entry) {
  return entry && entry->type == EntryType::kFolder ? &entry->content : nullptr;
}

class Comparison {
 public:
  Comparison(PackReader& reader_a, PackReader& reader_b, std::string path,
             const std::function<Status(const Difference&)>& visit)
      : reader_a_(reader_a), reader_b_(reader_b), visit_(visit), path_(std::move(path)) {}

  Status run(const ContentRef& a, const ContentRef& b) {
    if (a == b) return {};
    KURA_TRY(enter(&a, &b));
    while (!levels_.empty()) {
      Level& level = levels_.back();
      path_.resize(level.path_size);
      if (level.a.next() || level.b.next()) {
        KURA_TRY_AS(step(level), path_);
      } else {
        levels_.pop_back();
      }
    }
    return {};
  }

 private:
  struct Level {
    Side a, b;
    std::size_t path_size;  // of the folder's path, with a slash at its end
  };

  Status enter(const ContentRef* a, const ContentRef* b) {
    if (levels_.size() == kDepthLimit) return base::fail(ErrorCode::kDamaged, "folders are nested too deeply");
    if (!path_.ends_with('/')) path_ += '/';
    levels_.push_back({KURA_TRY(Side::open(reader_a_, a)), KURA_TRY(Side::open(reader_b_, b)), path_.size()});
    return {};
  }

  // The next name that either side has.
  Status step(Level& level) {
    const std::optional<Entry>& next_a = level.a.next();
    const std::optional<Entry>& next_b = level.b.next();
    const bool take_a = next_a && (!next_b || next_a->name <= next_b->name);
    const bool take_b = next_b && (!next_a || next_b->name <= next_a->name);
    Difference difference{.change = Change::kAdded, .path = {}, .before = {}, .after = {}};
    if (take_a) difference.before = KURA_TRY(level.a.take());
    if (take_b) difference.after = KURA_TRY(level.b.take());
    path_ += take_a ? difference.before->name : difference.after->name;
    difference.path = path_;

    if (const std::optional<Change> change = change_between(difference.before, difference.after)) {
      difference.change = *change;
      KURA_TRY(visit_(difference));
    }
    const ContentRef* folder_a = folder_in(difference.before);
    const ContentRef* folder_b = folder_in(difference.after);
    if (folder_a == nullptr && folder_b == nullptr) return {};
    if (folder_a != nullptr && folder_b != nullptr && *folder_a == *folder_b) return {};
    return enter(folder_a, folder_b);
  }

  PackReader& reader_a_;
  PackReader& reader_b_;
  const std::function<Status(const Difference&)>& visit_;
  std::string path_;
  std::vector<Level> levels_;
};

}  // namespace

std::string_view name_of(Change change) {
  switch (change) {
    case Change::kAdded:
      return "added";
    case Change::kRemoved:
      return "removed";
    case Change::kContent:
      return "modified";
    case Change::kMetadata:
      return "metadata";
    case Change::kType:
      return "type";
  }
  std::unreachable();
}

Status diff_trees(PackReader& reader_a, const ContentRef& a, PackReader& reader_b, const ContentRef& b,
                  const std::string& path, const std::function<Status(const Difference&)>& visit) {
  return Comparison(reader_a, reader_b, path, visit).run(a, b);
}

}  // namespace kura::archive
