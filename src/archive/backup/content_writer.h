// Puts a stream of bytes as chunks, and says where it lies (docs/format.md, section 8).
//
//   ContentWriter file(lane, chunker, Content::kFile);
//   ... read into file.space(n), then KURA_TRY(file.advance(count)) ...
//   WrittenContent content = KURA_TRY(file.finish());
#pragma once

#include <vector>

#include "archive/backup/chunker.h"
#include "archive/backup/id_list.h"
#include "archive/backup/lane.h"
#include "archive/format/content.h"
#include "base/raw_buffer.h"

namespace kura::archive {

// Not shared between threads. Memory: what was appended and not cut yet (at most the chunker's most) and the ids.
class ContentWriter {
 public:
  // Both outlive it. `content`: what the stream's chunks are.
  ContentWriter(Lane& lane, const Chunker& chunker, Content content)
      : lane_(&lane), chunker_(&chunker), content_(content), ids_(lane) {}

  base::Status append(base::ByteSpan bytes);
  // Room for `count` bytes to be written by the caller, who then tells with advance() how many came.
  base::MutableByteSpan space(std::size_t count);
  base::Status advance(std::size_t count);

  // The rest of the stream, and starts anew.
  base::Result<WrittenContent> finish();
  // Forgets the stream so far. What was put stays in the store, unused.
  void reset();

 private:
  base::Status cut(bool at_end);

  Lane* lane_;
  const Chunker* chunker_;
  Content content_;
  base::RawBuffer pending_;  // begins where a chunk begins
  Chunker::Search search_;
  IdList ids_;
};

}  // namespace kura::archive
