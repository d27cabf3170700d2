#include "archive/backup/file_cache_record.h"

#include "archive/format/limits.h"

namespace kura::archive {
namespace {

constexpr std::size_t kXattrLimit = 1U << 20;  // bytes; Linux allows 64 KiB

void encode_ids(const std::vector<ChunkId>& ids, base::Encoder& out) {
  out.varint(ids.size());
  for (const ChunkId& id : ids) out.raw(id.span());
}

std::vector<ChunkId> decode_ids(base::Decoder& in) {
  std::vector<ChunkId> ids(in.count(sizeof(ChunkId)));
  for (ChunkId& id : ids) id = in.digest();
  return ids;
}

void encode_extents(const std::optional<std::vector<Extent>>& extents, base::Encoder& out) {
  out.u8(extents ? 1 : 0);
  if (!extents) return;
  out.varint(extents->size());
  for (const Extent& extent : *extents) out.varint(extent.gap).varint(extent.size);
}

std::optional<std::vector<Extent>> decode_extents(base::Decoder& in) {
  if (in.u8() == 0) return std::nullopt;
  std::vector<Extent> extents(in.count(2));
  for (Extent& extent : extents) {
    extent.gap = in.varint();
    extent.size = in.varint();
  }
  return extents;
}

}  // namespace

void encode_cached_file(const CachedFile& file, base::Encoder& out) {
  out.varint(file.stamp.size).zigzag(file.stamp.mtime).zigzag(file.stamp.ctime);
  out.varint(file.stamp.device).varint(file.stamp.inode);
  out.u8(file.trusted ? 1 : 0).varint(file.size);
  out.u8(file.content.ref.depth);
  encode_ids(file.content.ref.ids, out);
  encode_ids(file.content.below, out);
  encode_extents(file.extents, out);
  out.varint(file.xattrs.size());
  for (const auto& [name, value] : file.xattrs) out.string(name).string(value);
  out.u8(file.judged ? 1 : 0);
  if (file.judged) encode_judged_version(*file.judged, out);
}

CachedFile decode_cached_file(base::Decoder& in) {
  CachedFile file;
  file.stamp.size = in.varint();
  file.stamp.mtime = in.zigzag();
  file.stamp.ctime = in.zigzag();
  file.stamp.device = in.varint();
  file.stamp.inode = in.varint();
  file.trusted = in.u8() == 1;
  file.size = in.varint();
  file.content.ref.depth = in.u8();
  if (file.content.ref.depth > kContentDepthLimit) in.fail("too deep");
  file.content.ref.ids = decode_ids(in);
  file.content.below = decode_ids(in);
  file.extents = decode_extents(in);
  const std::size_t xattrs = in.count(2);
  for (std::size_t i = 0; i < xattrs && in.ok(); ++i) {
    std::string name = in.text(kXattrLimit);
    file.xattrs.emplace_back(std::move(name), in.text(kXattrLimit));
  }
  if (in.u8() == 1) file.judged = decode_judged_version(in);
  return file;
}

}  // namespace kura::archive
