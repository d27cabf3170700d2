#include "archive/format/pack.h"

#include <algorithm>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/format/object_head.h"
#include "archive/format/sealed_part.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

constexpr std::string_view kPackMagic = "KURAPACK";
constexpr std::string_view kEndMagic = "KEND";
constexpr std::string_view kThePack = "the pack";
constexpr std::string_view kFooterInfo = "kura footer v1";
constexpr std::string_view kFrameInfo = "kura pack v1";

void encode_pack_head(base::Encoder& out, const PackHeader& header) {
  encode_head(out, kPackMagic);
  out.u8(static_cast<std::uint8_t>(header.aead)).u8(static_cast<std::uint8_t>(header.content)).raw(header.repository);
}

Content decode_content(base::Decoder& in) {
  const auto content = static_cast<Content>(in.u8());
  if (content != Content::kFile && content != Content::kListing) in.fail("its content is none that is known");
  return content;
}

}  // namespace

std::array<std::uint8_t, kPackHeaderSize> PackHeader::encode() const {
  base::Encoder out;
  encode_pack_head(out, *this);
  out.raw(salt).raw(session);
  std::array<std::uint8_t, kPackHeaderSize> bytes{};
  std::ranges::copy(out.bytes(), bytes.begin());
  return bytes;
}

base::Result<PackHeader> PackHeader::decode(base::ByteSpan bytes) {
  base::Decoder in(bytes.first(std::min(bytes.size(), kPackHeaderSize)));
  KURA_TRY(decode_head(in, kPackMagic, kPackLimit, kThePack));
  PackHeader header;
  header.aead = decode_aead(in);
  header.content = decode_content(in);
  in.copy(header.repository);
  in.copy(header.salt);
  in.copy(header.session);
  KURA_TRY(in.finish(kThePack));
  return header;
}

std::array<std::uint8_t, kPackHeadSize + 4> PackHeader::associated(std::uint32_t number) const {
  base::Encoder out;
  encode_pack_head(out, *this);
  out.u32(number);
  std::array<std::uint8_t, kPackHeadSize + 4> bytes{};
  std::ranges::copy(out.bytes(), bytes.begin());
  return bytes;
}

base::Bytes seal_footer(const PackHeader& header, const PackRecord& record, const base::Key& catalog_key) {
  base::Encoder text;
  record.encode(text);
  const base::Bytes sealed =
      seal_part(header.aead, catalog_key, header.salt, kFooterInfo, header.associated(kFooterNumber), text.bytes());
  base::Encoder out;
  out.raw(sealed).u32(static_cast<std::uint32_t>(sealed.size())).raw(base::as_bytes(kEndMagic));
  return out.take();
}

base::Result<std::uint32_t> footer_size(base::ByteSpan trailer, std::uint64_t pack_size) {
  base::Decoder in(trailer);
  const std::uint32_t size = in.u32();
  const base::ByteSpan magic = in.raw(kEndMagic.size());
  KURA_TRY(in.finish(kThePack));
  if (base::as_text(magic) != kEndMagic) return damaged(kThePack, fmt::format("it does not end with {}", kEndMagic));
  if (pack_size > kPackLimit) {
    return damaged(kThePack, fmt::format("it has {} bytes, and {} are the most", pack_size, kPackLimit));
  }
  if (size <= crypto::kTagSize || kPackHeaderSize + size + kPackTrailerSize > pack_size) {
    return damaged(kThePack, fmt::format("its footer cannot have {} bytes", size));
  }
  return size;
}

base::Result<PackRecord> open_footer(const PackHeader& header, base::ByteSpan sealed, std::uint64_t pack_size,
                                     const base::Key& catalog_key) {
  const auto text =
      open_part(header.aead, catalog_key, header.salt, kFooterInfo, header.associated(kFooterNumber), sealed);
  if (!text) return damaged(kThePack, "its footer does not open");
  base::Decoder in(*text);
  PackRecord record = PackRecord::decode(in);
  KURA_TRY(in.finish("the pack's footer"));
  if (record.pack_size() != pack_size) return damaged(kThePack, "its frames do not fill it");
  return record;
}

base::Key frame_key(const base::Key& session_key, const PackHeader& header) {
  return crypto::hkdf_key(session_key.span(), header.salt, kFrameInfo);
}

}  // namespace kura::archive
