#include "archive/format/object_head.h"

#include <fmt/format.h>

#include "archive/format/limits.h"

namespace kura::archive {

using base::ErrorCode;

void encode_head(base::Encoder& out, std::string_view magic, std::uint16_t version) {
  out.raw(base::as_bytes(magic)).u16(version);
}

base::Status decode_head(base::Decoder& in, std::string_view magic, std::uint64_t limit, std::string_view what) {
  KURA_TRY(decode_head_of(in, magic, limit, what, kFormatVersion));
  return {};
}

base::Result<std::uint16_t> decode_head_of(base::Decoder& in, std::string_view magic, std::uint64_t limit,
                                           std::string_view what, std::uint16_t newest) {
  if (in.rest().size() > limit) {
    return damaged(what, fmt::format("it has {} bytes, and {} are the most", in.rest().size(), limit));
  }
  if (base::as_text(in.raw(magic.size())) != magic)
    return damaged(what, fmt::format("it does not begin with {}", magic));
  const std::uint16_t version = in.u16();
  if (!in.ok()) return damaged(what, "it ends too early");
  if (version < kFormatVersion || version > newest) {
    return base::fail(ErrorCode::kUnsupported,
                      fmt::format("{} is of format version {}; this program reads version {}", what, version, newest),
                      "use a newer kura");
  }
  return version;
}

std::unexpected<base::Error> damaged(std::string_view what, std::string_view why) {
  return base::fail(ErrorCode::kDamaged, fmt::format("{} is damaged: {}", what, why));
}

}  // namespace kura::archive
