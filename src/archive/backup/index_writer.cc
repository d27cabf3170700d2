#include "archive/backup/index_writer.h"

#include <utility>

#include "archive/repo/read_index_tables.h"

namespace kura::archive {

base::Status IndexWriter::add(IndexedPack pack, bool needed) {
  if (needed) {
    pending_needs_.needs.add(pending_.packs.size());
    pending_needs_.packs.push_back(pack.id);
  }
  for (const FrameRecord& frame : pack.record.frames) chunks_ += frame.chunks.size();
  pending_.packs.push_back(std::move(pack));
  return chunks_ < kChunks ? base::Status() : write();
}

base::Status IndexWriter::write() {
  KURA_TRY(repository_.store().sync());
  const WriteSecrets* secrets = KURA_TRY(repository_.need_write_secrets());
  Index index = std::exchange(pending_, Index{});
  index.repository = repository_.config().repository;
  const base::Bytes object = index.encode(crypto::preferred_aead(), secrets->catalog);
  WrittenIndex written = std::exchange(pending_needs_, WrittenIndex{});
  written.needs.index = KURA_TRY(repository_.put(store::Kind::kIndex, object));
  keep_index_table(repository_, {.id = written.needs.index, .size = object.size()}, index.packs);
  bytes_ += object.size();
  chunks_ = 0;
  written_.push_back(std::move(written));
  return {};
}

base::Result<std::vector<WrittenIndex>> IndexWriter::finish() {
  if (!pending_.packs.empty()) KURA_TRY(write());
  return std::exchange(written_, {});
}

}  // namespace kura::archive
