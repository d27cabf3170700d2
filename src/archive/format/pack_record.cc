// What a pack holds, as its footer and the index say it (docs/format.md, section 5).
#include "archive/format/limits.h"
#include "archive/format/pack.h"

namespace kura::archive {
namespace {

constexpr std::size_t kLeastChunkBytes = 32 + 1;                // id, size
constexpr std::size_t kLeastFrameBytes = 3 + kLeastChunkBytes;  // sealed size, compression, count, a chunk

ChunkEntry decode_chunk(base::Decoder& in) {
  const ChunkId id = in.digest();
  const std::uint64_t size = in.varint();
  if (in.ok() && size == 0) in.fail("a chunk is empty");
  if (size > kChunkLimit) in.fail("a chunk is larger than allowed");
  return {.id = id, .size = in.ok() ? static_cast<std::uint32_t>(size) : 0};
}

void decode_chunks(base::Decoder& in, FrameRecord& frame) {
  const std::size_t count = in.count(kLeastChunkBytes);
  if (in.ok() && count == 0) in.fail("a frame has no chunks");
  if (count > kChunksPerPackLimit) in.fail("a pack has more chunks than allowed");
  if (in.ok()) frame.chunks.reserve(count);
  std::uint64_t text = 0;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    frame.chunks.push_back(decode_chunk(in));
    text += frame.chunks.back().size;
    if (text > kFrameTextLimit) in.fail("the text of a frame is larger than allowed");
  }
}

FrameRecord decode_frame(base::Decoder& in) {
  FrameRecord frame;
  const std::uint64_t sealed_size = in.varint();
  if (sealed_size > kSealedFrameLimit) in.fail("a sealed frame is larger than allowed");
  if (in.ok() && sealed_size <= crypto::kTagSize) in.fail("a sealed frame is smaller than its tag");
  const std::uint8_t compression = in.u8();
  if (compression > static_cast<std::uint8_t>(Compression::kZstd)) in.fail("its compression is none that is known");
  decode_chunks(in, frame);
  if (!in.ok()) return {};
  frame.sealed_size = static_cast<std::uint32_t>(sealed_size);
  frame.compression = static_cast<Compression>(compression);
  if (frame.compression == Compression::kNone && frame.sealed_size != frame.text_size() + crypto::kTagSize) {
    in.fail("a frame's chunks do not fill it");
  }
  return frame;
}

}  // namespace

std::uint32_t FrameRecord::text_size() const {
  std::uint32_t size = 0;
  for (const ChunkEntry& chunk : chunks) size += chunk.size;
  return size;
}

void PackRecord::encode(base::Encoder& out) const {
  out.varint(frames.size());
  for (const FrameRecord& frame : frames) {
    out.varint(frame.sealed_size).u8(static_cast<std::uint8_t>(frame.compression)).varint(frame.chunks.size());
    for (const ChunkEntry& chunk : frame.chunks) out.raw(chunk.id.span()).varint(chunk.size);
  }
}

PackRecord PackRecord::decode(base::Decoder& in) {
  PackRecord record;
  const std::size_t count = in.count(kLeastFrameBytes);
  if (in.ok() && count == 0) in.fail("a pack has no frames");
  if (count > kFramesPerPackLimit) in.fail("a pack has more frames than allowed");
  if (in.ok()) record.frames.reserve(count);
  std::size_t chunks = 0;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    record.frames.push_back(decode_frame(in));
    chunks += record.frames.back().chunks.size();
    if (chunks > kChunksPerPackLimit) in.fail("a pack has more chunks than allowed");
  }
  return in.ok() ? std::move(record) : PackRecord{};
}

std::uint64_t PackRecord::pack_size() const {
  std::uint64_t size = kPackHeaderSize + kPackTrailerSize;
  for (const FrameRecord& frame : frames) size += frame.sealed_size;
  base::Encoder out;
  encode(out);
  return size + out.size() + crypto::kTagSize;
}

}  // namespace kura::archive
