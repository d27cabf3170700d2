// Opens frames and chunks: needs the recovery key.
//
//   PackReader reader(repository, index);
//   Bytes text = KURA_TRY(reader.chunk(id));
//
// What lay in a pack that was lost may have been stored again since, in packs that only later snapshots name: equal
// ids are equal bytes, so it is taken from there (docs/operate/check.md). Nothing is read for it while all is well.
//
// Every chunk is checked against its id before it is returned, so what comes out is what went in, whatever the store
// says. Shared by threads: each call reads, decrypts and decompresses on the caller's thread; session keys and
// recently opened frames are cached behind a lock.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "archive/repo/chunk_index.h"
#include "archive/repo/frame_cache.h"
#include "base/raw_buffer.h"

namespace kura::archive {

class PackReader {
 public:
  // Both outlive the reader. `cache_bytes` bounds the opened frames that are kept.
  PackReader(const Repository& repository, const ChunkIndex& index, std::size_t cache_bytes = 32U << 20);
  // The same with opened frames that readers by other indexes of the repository share.
  PackReader(const Repository& repository, const ChunkIndex& index, std::shared_ptr<FrameCache> frames);
  ~PackReader();

  using Text = std::shared_ptr<const base::Bytes>;
  // The opened text of a frame. Its chunks are NOT yet checked against their ids; chunk() does that.
  // kDamaged, also for a pack that is missing, names the pack and the store.
  base::Result<Text> frame(std::uint32_t pack, std::uint32_t frame);
  // `count` frames of one pack that lie one after another, in one read, past the cache: `visit` gets each frame's
  // opened text (valid for the call) or what is wrong with it, in order, until it says false. An error of the whole is
  // one of reading the pack.
  using VisitFrame = std::function<bool(std::uint32_t frame, base::Result<base::ByteSpan> text)>;
  base::Status frames(std::uint32_t pack, std::uint32_t first, std::uint32_t count, const VisitFrame& visit);
  // A frame whose stored bytes the caller has read: opened in place or into `buffer`, whichever the answer is a view
  // of.
  base::Result<base::ByteSpan> open_frame(std::uint32_t pack, std::uint32_t frame, base::MutableByteSpan sealed,
                                          base::RawBuffer& buffer);
  // One chunk, checked; from another copy of it when the first one is damaged. kDamaged also when no index knows it.
  base::Result<base::Bytes> chunk(const ChunkId& id, Content content);
  // The same where the caller has found the copy at `not_at` wanting, for the reason `why`, which is the error when
  // there is no other. Copies that the index does not know are looked for last: where it is partial, the first such
  // call reads all other indexes of the repository; when that fails, it is tried again after a while.
  base::Result<base::Bytes> other_copy(const ChunkId& id, Content content, const ChunkPlace& not_at,
                                       const base::Error& why);
  // Packs that are damaged or gone, and whose chunks were found only in indexes that the index at hand is without.
  std::vector<DamagedObject> replaced_packs() const;
  // Whether `text` is the chunk `id`. Thread-safe.
  bool verify(const ChunkId& id, Content content, base::ByteSpan text) const;
  // The chunk `id` in the opened text of the frame where it lies: a view of `frame`. kDamaged, naming pack, frame and
  // store, when it is not there. Thread-safe.
  base::Result<base::ByteSpan> chunk_in(base::ByteSpan frame, const ChunkPlace& place, const ChunkId& id,
                                        Content content) const;
  // The ids at depth 0 of a content. kDamaged beyond limits.
  base::Result<std::vector<ChunkId>> leaves(const ContentRef& content);

  const ChunkIndex& index() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kura::archive
