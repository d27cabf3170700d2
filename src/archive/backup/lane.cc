#include "archive/backup/lane.h"

#include <utility>

namespace kura::archive {

Lane::Lane(Writer& writer, TaskQueue* helpers) : writer_(writer), helpers_(helpers), namer_(writer.namer()) {}

Lane::~Lane() {
  for (FrameBuilder& frames : frames_) {
    if (!writer_.job().stopped()) flush(frames);
  }
}

base::Result<ChunkId> Lane::put(Content content, base::ByteSpan text) {
  if (writer_.job().stopped()) KURA_TRY(writer_.job().status());
  const ChunkId id = namer_.name(content, text);
  if (!writer_.claim(id, text.size()) || writer_.is_dry_run()) return id;
  if (FrameBuilder::is_small(text)) {
    if (frames(content).add(id, text)) flush(frames(content));
  } else if (helpers_ != nullptr && helpers_->wants_frame()) {
    give_away(content, id, text);
  } else {
    store(content, {{id, static_cast<std::uint32_t>(text.size())}}, text);
  }
  return id;
}

void Lane::give_away(Content content, const ChunkId& id, base::ByteSpan text) {
  RawFrame frame{.content = content,
                 .chunks = {{id, static_cast<std::uint32_t>(text.size())}},
                 .text = helpers_->memory().take_or_make()};
  frame.text.append(text);
  helpers_->push(std::move(frame));
}

void Lane::store(RawFrame& frame) { store(frame.content, std::move(frame.chunks), frame.text.span()); }

void Lane::flush(FrameBuilder& frames) {
  if (frames.empty()) return;
  store(frames.frame());
  frames.clear();
}

void Lane::store(Content content, std::vector<ChunkEntry> chunks, base::ByteSpan text) {
  const auto [compression, bytes] = compressor_.compress(text);
  writer_.pack(content, compression, std::move(chunks), bytes);
}

}  // namespace kura::archive
