#include "detect/codec/eexec.h"

#include <cstdint>

namespace kura::detect {

std::string eexec_decrypted(std::string_view bytes) {
  std::uint16_t key = 55665;
  std::string plain;
  plain.reserve(bytes.size());
  for (const char c : bytes) {
    const auto sign = static_cast<std::uint8_t>(c);
    plain += static_cast<char>(sign ^ key >> 8);
    key = static_cast<std::uint16_t>((sign + key) * 52845U + 22719U);
  }
  return plain;
}

}  // namespace kura::detect
