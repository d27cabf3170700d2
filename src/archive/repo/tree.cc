#include "archive/repo/tree.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "archive/format/limits.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

// Deeper than any folder a person has, and shallow enough that a made-up tree cannot fill the memory.
constexpr std::size_t kTreeDepthLimit = 1U << 16;

}  // namespace

Result<ListingReader> ListingReader::open(PackReader& reader, const ContentRef& listing) {
  const auto fetch = [&reader](const ChunkId& id) -> Result<PackReader::Text> {
    return std::make_shared<const base::Bytes>(KURA_TRY(reader.chunk(id, Content::kListing)));
  };
  auto chunks = std::make_shared<const std::vector<ChunkId>>(KURA_TRY(reader.leaves(listing)));
  return ListingReader(fetch, std::move(chunks), {});
}

ListingReader::Position ListingReader::position() const {
  if (last_chunk_size_ == 0) return start_;
  return {.chunk = next_chunk_ - 1, .offset = last_chunk_size_ - rest_.size()};
}

Result<std::optional<Entry>> ListingReader::next() {
  for (;;) {
    if (!rest_.empty()) {
      const std::optional<std::size_t> size = KURA_TRY(Entry::front_size(rest_));
      if (size && *size <= rest_.size()) return KURA_TRY(take());
    }
    if (next_chunk_ >= chunks_->size()) {
      if (rest_.empty()) return std::nullopt;
      return base::fail(ErrorCode::kDamaged, "the listing ends in the middle of an entry");
    }
    KURA_TRY(read_chunk());
  }
}

Result<Entry> ListingReader::take() {
  base::ByteSpan rest = rest_;
  Entry entry = KURA_TRY(Entry::decode_front(rest));
  rest_ = rest;
  if (!last_name_.empty() && entry.name <= last_name_) {
    return base::fail(ErrorCode::kDamaged, "the names of a listing are not in order");
  }
  last_name_ = entry.name;
  return entry;
}

Status ListingReader::read_chunk() {
  PackReader::Text text = KURA_TRY(fetch_((*chunks_)[next_chunk_]));
  const bool is_first = last_chunk_size_ == 0;
  ++next_chunk_;
  last_chunk_size_ = text->size();
  if (rest_.empty()) {
    chunk_ = std::move(text);
    rest_ = base::ByteSpan(*chunk_).subspan(is_first ? std::min(start_.offset, chunk_->size()) : 0);
    return {};
  }
  if (rest_.size() + text->size() > kEntryLimit + kChunkLimit) {
    return base::fail(ErrorCode::kDamaged, "an entry of a listing is too large");
  }
  if (chunk_) {
    pending_.assign(rest_.begin(), rest_.end());
    chunk_ = nullptr;
  } else {
    pending_.erase(pending_.begin(), pending_.end() - static_cast<std::ptrdiff_t>(rest_.size()));
  }
  pending_.insert(pending_.end(), text->begin(), text->end());
  rest_ = pending_;
  return {};
}

Result<Entry> find_entry(PackReader& reader, const ContentRef& root, std::string_view path) {
  Entry here;
  here.type = EntryType::kFolder;
  here.mode = 0755;
  here.content = root;
  std::string walked;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (name.empty()) continue;
    if (here.type != EntryType::kFolder) {
      return base::fail(ErrorCode::kNotFound, fmt::format("{} is not a folder in this snapshot", walked));
    }
    walked.append("/").append(name);
    ListingReader listing = KURA_TRY_AS(ListingReader::open(reader, here.content), walked);
    for (;;) {
      std::optional<Entry> entry = KURA_TRY_AS(listing.next(), walked);
      if (!entry || entry->name > name) {
        return base::fail(ErrorCode::kNotFound, fmt::format("{} is not in this snapshot", walked),
                          "see what is there with `kura ls`");
      }
      if (entry->name != name) continue;
      here = *std::move(entry);
      break;
    }
  }
  return here;
}

Status walk_tree(PackReader& reader, const Entry& folder, const std::string& path,
                 const std::function<Result<Visit>(const std::string& path, const Entry&)>& visit,
                 const std::function<void(const std::string& path, const Error&)>& damaged) {
  struct Level {
    ListingReader listing;
    std::size_t path_size;  // of the folder's own path, with a slash at its end
  };
  std::vector<Level> levels;
  std::string here = path;

  const auto enter = [&](const ContentRef& content) {
    Result<ListingReader> listing = levels.size() < kTreeDepthLimit
                                        ? ListingReader::open(reader, content)
                                        : base::fail(ErrorCode::kDamaged, "folders are nested too deeply");
    if (!listing) return damaged(here, listing.error());
    if (!here.ends_with('/')) here += '/';
    levels.push_back({*std::move(listing), here.size()});
  };

  enter(folder.content);
  while (!levels.empty()) {
    Level& level = levels.back();
    here.resize(level.path_size);
    Result<std::optional<Entry>> next = level.listing.next();
    if (!next || !*next) {
      if (here.size() > 1) here.pop_back();
      if (!next) damaged(here, next.error());
      levels.pop_back();
      continue;
    }
    const Entry entry = **std::move(next);
    here += entry.name;
    const Visit answer = KURA_TRY(visit(here, entry));
    if (answer == Visit::kStop) return {};
    if (answer == Visit::kContinue && entry.type == EntryType::kFolder) enter(entry.content);
  }
  return {};
}

}  // namespace kura::archive
