#include "archive/backup/content_writer.h"

#include <algorithm>

namespace kura::archive {

base::Status ContentWriter::append(base::ByteSpan bytes) {
  pending_.append(bytes);
  return cut(false);
}

base::MutableByteSpan ContentWriter::space(std::size_t count) {
  if (pending_.capacity() - pending_.size() < count) {
    // At most one chunk's bytes are left uncut, so the memory does not grow beyond that and one read.
    pending_.reserve(std::min(2 * pending_.capacity(), chunker_->most() + count));
    pending_.reserve(pending_.size() + count);
  }
  return pending_.spare().first(count);
}

base::Status ContentWriter::advance(std::size_t count) {
  pending_.add(count);
  return cut(false);
}

base::Status ContentWriter::cut(bool at_end) {
  std::size_t begin = 0;
  while (begin < pending_.size()) {
    const base::ByteSpan rest = pending_.span().subspan(begin);
    const std::optional<std::size_t> size = chunker_->next_cut(rest, at_end, search_);
    if (!size) break;
    search_ = {};
    KURA_TRY(ids_.add(KURA_TRY(lane_->put(content_, rest.first(*size)))));
    begin += *size;
  }
  pending_.drop_front(begin);
  return {};
}

base::Result<WrittenContent> ContentWriter::finish() {
  KURA_TRY(cut(true));
  return ids_.finish();
}

void ContentWriter::reset() {
  pending_.clear();
  search_ = {};
  ids_ = IdList(*lane_);
}

}  // namespace kura::archive
