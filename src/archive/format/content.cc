#include "archive/format/content.h"

#include "archive/format/limits.h"

namespace kura::archive {

void ContentRef::encode(base::Encoder& out) const {
  out.u8(depth);
  for (const ChunkId& id : ids) out.raw(id.span());
}

ContentRef ContentRef::decode(base::Decoder& in) {
  ContentRef content;
  content.depth = in.u8();
  if (content.depth > kContentDepthLimit) in.fail("the depth of a content is beyond the limit");
  if (in.rest().size() % sizeof(ChunkId) != 0) in.fail("a content ends within an id");
  if (content.depth > 0 && in.at_end()) in.fail("a content of no ids has a depth");
  if (in.ok()) content.ids.reserve(in.rest().size() / sizeof(ChunkId));
  while (in.ok() && !in.at_end()) content.ids.push_back(in.digest());
  return content;
}

}  // namespace kura::archive
