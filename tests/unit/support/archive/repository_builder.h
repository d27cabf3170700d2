// A small repository made chunk by chunk, so that tests can put into it what no backup ever would: validly sealed and
// signed lies included.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/entry.h"
#include "archive/repo/repository.h"
#include "support/temporary_folder.h"

namespace kura::archive::test {

class RepositoryBuilder {
 public:
  RepositoryBuilder();

  const Repository& repository() const { return *repository_; }
  store::Store& store() const { return repository_->store(); }
  std::string folder() const { return folder_ / "repository"; }
  std::string state_folder() const { return folder_ / "state"; }
  // Where in `folder()` an object lies.
  std::string path_of(store::Kind kind, const store::ObjectId& id) const;
  // Changes one byte of a stored object.
  void damage(store::Kind kind, const store::ObjectId& id, std::uint64_t offset) const;

  ChunkId id_of(Content content, base::ByteSpan bytes) const;
  // Adds a chunk to the open frame of the open pack of its content.
  ChunkId add(Content content, std::string_view bytes);
  // The same under an id that may be a lie.
  void add_as(const ChunkId& id, Content content, std::string_view bytes);
  void end_frame(Content content);
  // Seals and stores the open pack; it will be in the index of the next commit().
  store::ObjectId end_pack(Content content);

  // Frames are compressed as they are sealed unless this is called with false.
  void compress(bool on) { compress_ = on; }
  // The next frame of any pack: sealed as it is given here, whatever its chunks say (zstd).
  void seal_instead(base::Bytes stored) { sealed_instead_ = std::move(stored); }

  // A file's or listing's contents in chunks of `chunk_size`.
  ContentRef content(Content content, std::string_view bytes, std::size_t chunk_size = 1000);
  ContentRef listing(const std::vector<Entry>& entries, std::size_t chunk_size = 1000);
  Entry file(std::string name, std::string_view bytes, std::size_t chunk_size = 1000);
  Entry folder(std::string name, const std::vector<Entry>& entries);
  static Entry symlink(std::string name, std::string target);
  static Entry entry(EntryType type, std::string name, std::uint32_t mode);

  // Ends open packs, writes their index and a snapshot of `root` that needs all packs.
  StoredSnapshot commit(const std::vector<Entry>& root);
  StoredSnapshot commit(const ContentRef& root);
  const std::vector<store::ObjectId>& packs() const { return packs_; }  // all that were stored, in order
  const std::vector<store::ObjectId>& indexes() const { return indexes_; }

 private:
  struct OpenFrame {
    std::vector<ChunkEntry> chunks;
    base::Bytes text;
    base::Bytes instead;
  };
  struct OpenPack {
    std::vector<OpenFrame> frames;
    OpenFrame frame;
  };
  OpenPack& open(Content content) { return content == Content::kFile ? files_ : listings_; }

  kura::test::TemporaryFolder folder_;
  std::optional<Repository> repository_;
  base::Key session_;
  SealedSession sealed_session_{};
  bool compress_ = true;
  base::Bytes sealed_instead_;
  OpenPack files_, listings_;
  std::vector<IndexedPack> unindexed_;
  std::vector<NeededPacks> needs_;
  std::vector<store::ObjectId> packs_, indexes_;
  std::uint64_t number_ = 0;
  store::ObjectId before_;
};

}  // namespace kura::archive::test
