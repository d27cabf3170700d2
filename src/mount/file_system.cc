#include "mount/file_system.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "mount/attributes.h"

namespace kura::mount {
namespace {

using archive::Content;
using archive::Entry;
using archive::EntryType;
using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kChunkCacheBytes = 64U << 20;
constexpr std::size_t kNodesBytes = 24U << 20;
constexpr std::size_t kZeros = 64 << 10;

NodeFacts top_folder() {
  NodeFacts top{.key = crypto::sha256(base::as_bytes("/")),
                .parent = kTopNode,
                .place = Place::kTop,
                .snapshot = {},
                .entry = {}};
  top.entry.type = EntryType::kFolder;
  top.entry.mode = 0555;
  top.entry.uid = ::getuid();
  top.entry.gid = ::getgid();
  return top;
}

NodeFacts facts_of(const Node& folder, Entry entry, Place place, const SnapshotPtr& snapshot) {
  NodeFacts facts{.key = key_of(folder, snapshot, entry),
                  .parent = folder.id,
                  .place = place,
                  .snapshot = snapshot,
                  .entry = std::move(entry)};
  return facts;
}

NodeFacts facts_of(const Node& folder, const CatalogItem& item) {
  return facts_of(folder, item.entry, item.place, item.snapshot);
}

}  // namespace

FileSystem::FileSystem(const archive::Repository& repository, Troubles& troubles)
    : troubles_(troubles),
      watch_(repository, troubles),
      catalog_(repository, watch_, troubles),
      volumes_(repository, watch_, troubles),
      chunks_(watch_, troubles, kChunkCacheBytes),
      nodes_(top_folder(), kNodesBytes),
      ahead_(chunks_, std::clamp(std::thread::hardware_concurrency(), 2U, 8U)) {}

Result<std::unique_ptr<FileSystem>> FileSystem::open(const archive::Repository& repository, Troubles& troubles) {
  KURA_TRY(repository.need_recovery_secrets());
  std::unique_ptr<FileSystem> system(new FileSystem(repository, troubles));
  KURA_TRY(system->catalog_.load());
  return system;
}

void FileSystem::warm_up() {
  const SnapshotPtr latest = catalog_.look()->latest;
  if (!latest) return;
  if (const auto volume = volumes_.of(*latest); !volume) troubles_.met("", volume.error());
}

int FileSystem::trouble(const Node& node, const Error& error) {
  if (error.code() == ErrorCode::kInterrupted) return EIO;
  if (error.code() == ErrorCode::kDamaged && node.snapshot && watch_.is_forgotten(node.snapshot->id)) {
    troubles_.met("",
                  Error(ErrorCode::kNotFound,
                        fmt::format("snapshot {} was forgotten while it was looked at, and what it alone needed may "
                                    "be collected",
                                    node.snapshot->id.hex())));
    return ESTALE;
  }
  troubles_.met(nodes_.path_of(node), error);
  return EIO;
}

template <typename Read>
std::invoke_result_t<Read> FileSystem::watched(const Entry& entry, Read read) {
  const bool asks_store = entry.content.depth > 0;
  if (asks_store) KURA_TRY(watch_.is_worth_asking());
  auto result = read();
  if (asks_store && !result && result.error().code() == ErrorCode::kIo) KURA_TRY(watch_.is_there());
  return result;
}

Folder::Fetch FileSystem::fetch_from(VolumePtr volume) {
  return [this, volume = std::move(volume)](const archive::ChunkId& id) {
    return chunks_.get(*volume, id, Content::kListing);
  };
}

Result<std::shared_ptr<Folder>> FileSystem::folder_of(Node& node, const VolumePtr& volume) {
  if (auto known = *node.folder.lock()) return known;
  auto folder = std::make_shared<Folder>(
      KURA_TRY(watched(node.entry, [&] { return volume->reader.leaves(node.entry.content); })));
  const auto locked = node.folder.lock();
  if (!*locked) *locked = std::move(folder);
  return *locked;
}

Answer<NodePtr> FileSystem::look_up_in_snapshot(const NodePtr& folder, std::string_view name) {
  const auto found = [&]() -> Result<std::optional<Entry>> {
    const VolumePtr volume = KURA_TRY(volumes_.of(*folder->snapshot));
    return KURA_TRY(folder_of(*folder, volume))->find(name, fetch_from(volume));
  }();
  if (!found) return std::unexpected(trouble(*folder, found.error()));
  if (!*found) return std::unexpected(ENOENT);
  return nodes_.look_up(facts_of(*folder, **found, Place::kInSnapshot, folder->snapshot));
}

Answer<NodePtr> FileSystem::look_up(const NodePtr& folder, std::string_view name) {
  if (folder->entry.type != EntryType::kFolder) return std::unexpected(ENOTDIR);
  if (folder->place == Place::kInSnapshot) return look_up_in_snapshot(folder, name);
  const std::shared_ptr<const CatalogView> view = catalog_.look();
  const CatalogView::Items* items = view->items(folder->place, folder->entry.name);
  const CatalogItem* item = items != nullptr ? CatalogView::find(*items, name) : nullptr;
  if (item == nullptr) return std::unexpected(ENOENT);
  return nodes_.look_up(facts_of(*folder, *item));
}

Answer<std::unique_ptr<FileSystem::Listing>> FileSystem::list(const NodePtr& folder) {
  if (folder->entry.type != EntryType::kFolder) return std::unexpected(ENOTDIR);
  std::unique_ptr<Listing> listing(new Listing(*this, folder));
  if (folder->place != Place::kInSnapshot) {
    listing->view_ = catalog_.look();
    listing->items_ = listing->view_->items(folder->place, folder->entry.name);
    if (listing->items_ == nullptr) return std::unexpected(ENOENT);
    return listing;
  }
  if (const auto opened = listing->go_to(0); !opened) return std::unexpected(opened.error());
  return listing;
}

Answer<void> FileSystem::Listing::go_to(std::uint64_t number) {
  held_.reset();
  if (items_ == nullptr) {
    auto reader = [&]() -> Result<archive::ListingReader> {
      const VolumePtr volume = KURA_TRY(system_.volumes_.of(*folder_->snapshot));
      return KURA_TRY(system_.folder_of(*folder_, volume))->from(number, system_.fetch_from(volume));
    }();
    if (!reader) return std::unexpected(system_.trouble(*folder_, reader.error()));
    reader_.emplace(*std::move(reader));
  }
  number_ = number;
  return {};
}

Answer<const NodeFacts*> FileSystem::Listing::next() {
  if (held_) return &*held_;
  if (items_ != nullptr) {
    if (number_ >= items_->size()) return nullptr;
    return &held_.emplace(facts_of(*folder_, (*items_)[number_]));
  }
  auto entry = reader_->next();
  if (!entry) return std::unexpected(system_.trouble(*folder_, entry.error()));
  if (!*entry) return nullptr;
  return &held_.emplace(facts_of(*folder_, **std::move(entry), Place::kInSnapshot, folder_->snapshot));
}

void FileSystem::Listing::take() {
  held_.reset();
  ++number_;
}

Result<std::shared_ptr<const FileTable>> FileSystem::table_of(Node& node, Volume& volume) {
  if (auto known = node.table.lock()->lock()) return known;
  auto table = std::make_shared<const FileTable>(
      KURA_TRY(watched(node.entry, [&] { return FileTable::of(volume.reader, node.entry); })));
  *node.table.lock() = table;
  return table;
}

Answer<std::unique_ptr<FileHandle>> FileSystem::open_file(const NodePtr& node) {
  if (node->entry.type != EntryType::kFile) return std::unexpected(EINVAL);
  auto opened = [&]() -> Result<OpenedFile> {
    VolumePtr volume = KURA_TRY(volumes_.of(*node->snapshot));
    auto table = KURA_TRY(table_of(*node, *volume));
    return OpenedFile{.volume = std::move(volume), .table = std::move(table)};
  }();
  if (!opened) return std::unexpected(trouble(*node, opened.error()));
  auto handle = std::make_unique<FileHandle>();
  handle->node = node;
  handle->file = *std::move(opened);
  return handle;
}

Answer<FileSystem::Bytes> FileSystem::read(FileHandle& handle, std::uint64_t offset, std::size_t size) {
  static constexpr std::array<std::uint8_t, kZeros> kNothing{};
  const FileTable& table = *handle.file.table;
  const std::vector<FileTable::Part> parts = table.parts(offset, size);
  const auto last = std::ranges::find_if(parts.rbegin(), parts.rend(), [](const auto& part) { return !!part.chunk; });
  if (last != parts.rend()) ahead_.note(handle.stream, handle.file, offset, size, *last->chunk);

  Bytes bytes;
  for (const FileTable::Part& part : parts) {
    if (!part.chunk) {
      for (std::size_t left = part.size; left > 0; left -= std::min(left, kZeros)) {
        bytes.parts.emplace_back(kNothing.data(), std::min(left, kZeros));
      }
      continue;
    }
    auto text = chunks_.get(*handle.file.volume, table.ids()[*part.chunk], Content::kFile);
    if (!text) return std::unexpected(trouble(*handle.node, text.error()));
    // FileTable has the size from the index, which the text was cut by; another copy may be of any size.
    if ((*text)->size() < part.offset + part.size) return std::unexpected(EIO);
    bytes.parts.push_back(base::ByteSpan(**text).subspan(part.offset, part.size));
    bytes.texts.push_back(*std::move(text));
  }
  return bytes;
}

}  // namespace kura::mount
