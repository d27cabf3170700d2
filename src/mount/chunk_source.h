// Checked chunks, for all files and folders of all snapshots: what was used last is kept, and what several readers want
// at once is read once.
//
// Chunks are known by their ids alone, so snapshots share what they have in common. Every chunk is compared with its id
// before anybody gets it; where the first copy is damaged, PackReader's other copies are taken. Thread-safe.
#pragma once

#include <future>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "archive/repo/text_cache.h"
#include "mount/volume.h"

namespace kura::mount {

class ChunkSource {
 public:
  using Text = archive::PackReader::Text;

  // Both outlive it. `cache_bytes` bounds the chunks that are kept.
  ChunkSource(StoreWatch& watch, Troubles& troubles, std::size_t cache_bytes)
      : watch_(watch), troubles_(troubles), cache_(cache_bytes) {}

  // One chunk. Waits for a thread that is reading it already. kIo when the store is away, kDamaged.
  base::Result<Text> get(Volume& volume, const archive::ChunkId& id, archive::Content content);
  // Reads what is not there yet of these chunks of a file, neighbouring frames in one read of the store. Failures are
  // left to whoever asks for the chunk. Chunks that lie in no pack of the volume are left out.
  void read_ahead(Volume& volume, std::span<const archive::ChunkId> ids);

 private:
  struct Key {
    archive::ChunkId id;
    archive::Content content = {};
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return base::DigestHash()(key.id); }
  };
  // A chunk on its way.
  struct Flight {
    Key key;
    archive::ChunkPlace place;
    std::promise<base::Result<Text>> landed;
  };
  using Flights = std::unordered_map<Key, std::shared_future<base::Result<Text>>, KeyHash>;

  // Null when the chunk is there, or is another thread's flight; `known` is then what there is.
  std::unique_ptr<Flight> take_off(const Key& key, std::shared_future<base::Result<Text>>& known);
  void land(Flight& flight, base::Result<Text> result);
  base::Result<Text> read(Volume& volume, const Key& key);
  base::Result<Text> read_at(Volume& volume, const Key& key, const archive::ChunkPlace& place);
  base::Result<Text> checked(Volume& volume, const Key& key, const archive::ChunkPlace& place, base::ByteSpan frame);
  base::Result<Text> other_copy(Volume& volume, const Key& key, const archive::ChunkPlace& place,
                                const base::Error& why);
  void read_run(Volume& volume, std::span<const std::unique_ptr<Flight>> run);

  StoreWatch& watch_;
  Troubles& troubles_;
  archive::TextCache<Key, KeyHash> cache_;
  base::Guarded<Flights> flights_;
};

}  // namespace kura::mount
