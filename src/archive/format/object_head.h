// What every object begins with: its magic and a version (docs/format.md, section 1).
#pragma once

#include <cstdint>
#include <string_view>

#include "archive/format/limits.h"
#include "base/bytes.h"
#include "base/codec.h"
#include "base/error.h"

namespace kura::archive {

// `magic` has 8 bytes.
void encode_head(base::Encoder& out, std::string_view magic, std::uint16_t version = kFormatVersion);

// Takes the head off `in`, which stands at the front of the object. `what` names the object in messages ("the config").
// kDamaged when the object is larger than `limit` bytes or does not begin with `magic`; kUnsupported, naming the
// number, for another version than kFormatVersion.
base::Status decode_head(base::Decoder& in, std::string_view magic, std::uint64_t limit, std::string_view what);
// The same for objects that have several versions, from kFormatVersion to `newest`: gives the object's.
base::Result<std::uint16_t> decode_head_of(base::Decoder& in, std::string_view magic, std::uint64_t limit,
                                           std::string_view what, std::uint16_t newest);

// kDamaged: "`what` is damaged: `why`".
std::unexpected<base::Error> damaged(std::string_view what, std::string_view why);

}  // namespace kura::archive
