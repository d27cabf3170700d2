// Headers, records, trailers and footers of packs.
#include "archive/format/pack.h"

#include "support/fuzz_support.h"

namespace kura {

using archive::PackHeader;
using archive::PackRecord;

namespace {

void try_header(base::ByteSpan bytes) {
  const auto header = PackHeader::decode(bytes);
  if (!header) return;
  fuzz::require(std::ranges::equal(header->encode(), bytes.first(archive::kPackHeaderSize)), "a header has one form");
}

void try_record(base::ByteSpan bytes) {
  base::Decoder in(bytes);
  const PackRecord record = [&] {
    const fuzz::AllocationWatch watch(bytes.size());
    return PackRecord::decode(in);
  }();
  if (!in.ok()) return;
  fuzz::require(std::ranges::equal(fuzz::encoded(record), bytes.first(in.position())), "a record has one form");
  const PackHeader header;
  const base::Bytes end = archive::seal_footer(header, record, fuzz::key_of(2));
  const auto opened = archive::open_footer(header, base::ByteSpan(end).first(end.size() - archive::kPackTrailerSize),
                                           record.pack_size(), fuzz::key_of(2));
  fuzz::require(opened && *opened == record, "a footer opens");
}

void try_trailer(base::ByteSpan bytes) {
  base::Decoder in(bytes);
  const std::uint64_t pack_size = in.u64();
  const auto size = archive::footer_size(in.rest(), pack_size);
  if (!size) return;
  fuzz::require(archive::kPackHeaderSize + *size + archive::kPackTrailerSize <= pack_size, "a footer is in its pack");
}

}  // namespace

void fuzz::pack(base::ByteSpan input) {
  const fuzz::FuzzInput part(input, 4);
  switch (part.choice) {
    case 0:
      try_header(part.bytes);
      break;
    case 1:
      try_record(part.bytes);
      break;
    case 2:
      try_trailer(part.bytes);
      break;
    default:
      static_cast<void>(archive::open_footer(PackHeader{}, part.bytes, 1000, fuzz::key_of(2)));
  }
}

}  // namespace kura
