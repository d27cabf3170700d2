#include "archive/repo/machine_key_file.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "crypto/hash.h"

namespace kura::archive {
namespace {

using base::ErrorCode;

constexpr std::string_view kTitle = "KURA-MACHINE-KEY-";
constexpr std::string_view kKeyVersion = "1";

std::string check_of(const MachineKey& key) {
  crypto::Sha256 hash;
  hash.update(key.config.span());
  hash.update(key.write.span());
  hash.update(key.signing_seed.span());
  return hash.finish().hex().substr(0, 16);
}

// The next line that is no comment, without its end.
std::string_view next_line(std::string_view& text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with('#')) return line;
  }
  return {};
}

// The value of a line "name value", or nothing.
std::string_view value_of(std::string_view& text, std::string_view name) {
  const std::string_view line = next_line(text);
  if (!line.starts_with(name) || line.substr(name.size(), 1) != " ") return {};
  return line.substr(name.size() + 1);
}

std::optional<base::Key> key_of(std::string_view hex) {
  auto bytes = base::from_hex(hex);
  if (!bytes || bytes->size() != 32) return std::nullopt;
  base::Key key(*bytes);
  explicit_bzero(bytes->data(), bytes->size());
  return key;
}

}  // namespace

std::string encode_machine_key(const MachineKey& key) {
  return fmt::format(
      "# This machine's key for a Kuramori repository: it writes backups, and opens none.\n"
      "{}{}\nconfig {}\nwrite {}\nsign {}\ncheck {}\n",
      kTitle, kKeyVersion, key.config.hex(), base::to_hex(key.write.span()), base::to_hex(key.signing_seed.span()),
      check_of(key));
}

base::Result<MachineKey> decode_machine_key(std::string_view text) {
  const std::string_view title = next_line(text);
  if (!title.starts_with(kTitle)) return base::fail(ErrorCode::kDamaged, "it is not a machine key");
  if (title.substr(kTitle.size()) != kKeyVersion) {
    return base::fail(
        ErrorCode::kUnsupported,
        fmt::format("it is of version {}; this program reads version {}", title.substr(kTitle.size()), kKeyVersion),
        "use a newer kura");
  }
  const auto config = store::ObjectId::from_hex(value_of(text, "config"));
  const auto write = key_of(value_of(text, "write"));
  const auto seed = key_of(value_of(text, "sign"));
  const std::string_view check = value_of(text, "check");
  if (!config || !write || !seed) return base::fail(ErrorCode::kDamaged, "a line is missing or malformed");
  MachineKey key{.config = *config, .write = *write, .signing_seed = *seed};
  if (check != check_of(key) || !text.empty()) return base::fail(ErrorCode::kDamaged, "its check does not match");
  return key;
}

}  // namespace kura::archive
