#include "archive/restore/dump.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "archive/restore/file_contents.h"

namespace kura::archive {
namespace {

using base::Status;
using Sink = std::function<Status(base::ByteSpan)>;

Status give_zeros(std::uint64_t count, const Sink& sink) {
  static constexpr std::uint8_t kZeros[65536] = {};
  while (count > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, sizeof kZeros));
    KURA_TRY(sink({kZeros, part}));
    count -= part;
  }
  return {};
}

}  // namespace

Status dump_file(PackReader& reader, const Entry& file, const Sink& sink) {
  if (file.type != EntryType::kFile) {
    return base::fail(base::ErrorCode::kUsage, "only the contents of a file can be given out",
                      "restore folders with `kura restore`, or give them out as an archive");
  }
  const FileContents contents = KURA_TRY(FileContents::of(reader, file));
  std::uint64_t written = 0;
  std::uint64_t data_offset = 0;
  std::optional<base::Error> refused;
  for (const ChunkId& id : contents.ids) {
    const base::Bytes chunk = KURA_TRY(reader.chunk(id, Content::kFile));
    contents.place(data_offset, base::ByteSpan(chunk), [&](std::uint64_t offset, base::ByteSpan part) {
      Status status = give_zeros(offset - written, sink);
      if (status) status = sink(part);
      if (!status) refused = std::move(status).error();
      written = offset + part.size();
      return !refused;
    });
    if (refused) return base::fail(*std::move(refused));
    data_offset += chunk.size();
  }
  return give_zeros(contents.size - written, sink);
}

}  // namespace kura::archive
