// RFC 4648, section 4, by OpenSSL.
#pragma once

#include <string>

#include "base/bytes.h"

namespace kura::crypto {

// With padding, on one line.
std::string base64(base::ByteSpan bytes);

}  // namespace kura::crypto
