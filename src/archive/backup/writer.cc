#include "archive/backup/writer.h"

#include <utility>

#include "archive/backup/compress.h"

namespace kura::archive {
namespace {

constexpr std::size_t kWaitingBytes = 16U << 20;  // of frames that wait to be compressed

}  // namespace

Writer::Writer(store::Store& store, const Config& config, const WriteSecrets& secrets, const ChunkIndex& known,
               PackSink on_stored, JobControl& job, const WriterOptions& options)
    : job_(job),
      dry_run_(options.dry_run),
      keys_(SealingKeys::create(config, secrets.catalog)),
      identifier_(known, secrets.chunk_id),
      to_compress_(kWaitingBytes),
      line_(store, config, keys_, std::move(on_stored), job) {
  for (unsigned i = 0; i < options.threads; ++i) workers_.emplace_back([this] { compress_frames(); });
}

Writer::~Writer() {
  if (!workers_.empty()) job_.fail({base::ErrorCode::kInterrupted, "abandoned"});
}

base::Result<ChunkId> Writer::put(Content content, base::ByteSpan text) {
  if (job_.stopped()) KURA_TRY(job_.status());
  const auto [id, is_new] = identifier_.identify(content, text);
  ++(is_new ? chunks_new_ : chunks_reused_);
  if (is_new && !dry_run_) {
    if (std::optional<RawFrame> frame = frames(content).add(id, text)) hand_on(*std::move(frame));
  }
  return id;
}

bool Writer::use(const ChunkId& id) {
  if (!identifier_.use(id)) return false;
  ++chunks_reused_;
  return true;
}

void Writer::hand_on(RawFrame frame) {
  const std::size_t weight = frame.text.size();
  to_compress_.push(std::move(frame), weight, job_.token());
}

void Writer::compress_frames() {
  Compressor compressor;
  while (std::optional<RawFrame> frame = to_compress_.pop(job_.token())) {
    const auto [compression, bytes] = compressor.compress(frame->text.span());
    line_.add(frame->content, compression, std::move(frame->chunks), bytes);
  }
}

base::Status Writer::finish() {
  for (FrameBuilder& frames : frames_) {
    if (std::optional<RawFrame> frame = frames.flush()) hand_on(*std::move(frame));
  }
  to_compress_.close();
  workers_.clear();
  line_.finish();
  return job_.status();
}

}  // namespace kura::archive
