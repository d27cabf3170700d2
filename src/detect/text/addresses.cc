#include "detect/text/addresses.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include <openssl/evp.h>

#include "base/bytes.h"

namespace kura::detect::text {
namespace {

constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

using Hash = std::array<std::uint8_t, 32>;

std::optional<Hash> hash_of(base::ByteSpan bytes, const EVP_MD* method) {
  Hash out{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, method, nullptr) != 1 || size != out.size())
    return std::nullopt;
  return out;
}

// 25 bytes: a version, a hash of 20, a checksum of 4.
std::optional<std::array<std::uint8_t, 25>> from_base58(std::string_view text) {
  std::array<std::uint8_t, 25> out{};
  for (const char c : text) {
    const std::size_t digit = kBase58.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    auto carry = static_cast<std::uint32_t>(digit);
    for (std::size_t i = out.size(); i-- > 0;) {
      carry += 58U * out[i];
      out[i] = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    if (carry != 0) return std::nullopt;
  }
  return out;
}

bool is_base58_bitcoin(std::string_view address) {
  if (address.size() < 26 || address.size() > 35) return false;
  const auto bytes = from_base58(address);
  if (!bytes || ((*bytes)[0] != 0 && (*bytes)[0] != 5)) return false;
  const auto once = hash_of(base::ByteSpan(*bytes).first(21), EVP_sha256());
  const auto twice = once ? hash_of(*once, EVP_sha256()) : std::nullopt;
  return twice && std::equal(twice->begin(), twice->begin() + 4, bytes->begin() + 21);
}

std::uint32_t polymod(std::uint32_t sum, std::uint32_t value) {
  static constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                              0x2a1462b3};
  const std::uint32_t top = sum >> 25;
  sum = (sum & 0x1ffffff) << 5 ^ value;
  for (std::size_t i = 0; i < kGenerator.size(); ++i) {
    if ((top >> i & 1) != 0) sum ^= kGenerator[i];
  }
  return sum;
}

bool is_bech32_bitcoin(std::string_view address) {
  if (address.size() < 42 || address.size() > 62 || !address.starts_with("bc1")) return false;
  std::uint32_t sum = 1;
  for (const std::uint32_t value : {3U, 3U, 0U, 2U, 3U}) sum = polymod(sum, value);  // "bc", as BIP 173 expands it
  for (const char c : address.substr(3)) {
    const std::size_t digit = kBech32.find(c);
    if (digit == std::string_view::npos) return false;
    sum = polymod(sum, static_cast<std::uint32_t>(digit));
  }
  return sum == 1 || sum == 0x2bc830a3;
}

}  // namespace

bool is_onion_name(std::string_view name) {
  if (name.size() != 56) return false;
  std::array<std::uint8_t, 35> bytes{};  // a key of 32, a checksum of 2, the version
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    unsigned digit = 0;
    if (c >= 'a' && c <= 'z') {
      digit = static_cast<unsigned>(c - 'a');
    } else if (c >= '2' && c <= '7') {
      digit = static_cast<unsigned>(c - '2') + 26;
    } else {
      return false;
    }
    for (std::size_t bit = 0; bit < 5; ++bit) {
      const std::size_t at = 5 * i + bit;
      bytes[at / 8] = static_cast<std::uint8_t>(bytes[at / 8] | (digit >> (4 - bit) & 1U) << (7 - at % 8));
    }
  }
  if (bytes[34] != 3) return false;
  base::Bytes checked;
  for (const char c : std::string_view(".onion checksum")) checked.push_back(static_cast<std::uint8_t>(c));
  checked.insert(checked.end(), bytes.begin(), bytes.begin() + 32);
  checked.push_back(3);
  const auto hash = hash_of(checked, EVP_sha3_256());
  return hash && (*hash)[0] == bytes[32] && (*hash)[1] == bytes[33];
}

bool is_bitcoin_address(std::string_view address) { return is_base58_bitcoin(address) || is_bech32_bitcoin(address); }

bool looks_like_monero(std::string_view address) {
  if ((address.size() != 95 && address.size() != 106) || (address[0] != '4' && address[0] != '8')) return false;
  return std::ranges::all_of(address, [](char c) { return kBase58.find(c) != std::string_view::npos; });
}

}  // namespace kura::detect::text
