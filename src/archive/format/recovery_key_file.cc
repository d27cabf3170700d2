// The off-line key file (docs/format.md, section 4): text, so that it can be printed and typed in again.
#include <fmt/format.h>

#include "archive/format/key_object.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

using base::ErrorCode;

constexpr std::string_view kWord = "KURA-RECOVERY-KEY-";
constexpr std::string_view kVersion = "1";
constexpr std::string_view kBlanks = " \t\r";

std::string check_of(const store::ObjectId& config, const base::Key& recovery) {
  crypto::Sha256 hash;
  hash.update(config.span());
  hash.update(recovery.span());
  return hash.finish().hex().substr(0, 8);
}

std::unexpected<base::Error> mistyped(std::string_view why) {
  return base::fail(ErrorCode::kDamaged, fmt::format("the recovery key file is damaged: {}", why),
                    "compare it with another copy or the printed page");
}

// Takes the first word off `line`; empty at its end.
std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

// The one line that is neither blank nor a comment.
base::Result<std::string_view> key_line(std::string_view text) {
  std::string_view found;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    if (line.empty() || line.starts_with('#')) continue;
    if (!found.empty()) return mistyped("it has more than one line that is no comment");
    found = line;
  }
  if (!found.starts_with(kWord)) {
    return mistyped(fmt::format("no line begins with {}{}", kWord, kVersion));
  }
  return found;
}

}  // namespace

std::string RecoveryKeyFile::encode() const {
  return fmt::format(
      "# Recovery key of a Kuramori repository. Whoever has this file can read every backup in it.\n"
      "# Keep it off line, away from the machines that are backed up.\n"
      "{}{} {} {} {}\n",
      kWord, kVersion, config.hex(), base::to_hex(recovery.span()), check_of(config, recovery));
}

base::Result<RecoveryKeyFile> RecoveryKeyFile::decode(std::string_view text) {
  std::string_view line = KURA_TRY(key_line(text));
  const std::string_view version = next_word(line).substr(kWord.size());
  if (version != kVersion) {
    return base::fail(
        ErrorCode::kUnsupported,
        fmt::format("the recovery key file is of version {}; this program reads version {}", version, kVersion),
        "use a newer kura");
  }
  const auto config = store::ObjectId::from_hex(next_word(line));
  auto secret = base::from_hex(next_word(line));
  const std::string check(next_word(line));
  if (!config || !secret || secret->size() != 32 || !next_word(line).empty()) {
    return mistyped("its line does not consist of two keys of 64 hex digits and a check of 8");
  }
  RecoveryKeyFile file{.config = *config, .recovery = base::Key(*secret)};
  explicit_bzero(secret->data(), secret->size());
  if (base::from_hex(check) != base::from_hex(check_of(file.config, file.recovery))) {
    return mistyped("its check does not match, so a digit is wrong");
  }
  return file;
}

}  // namespace kura::archive
