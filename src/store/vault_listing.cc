#include "store/vault_listing.h"

#include <algorithm>

#include "base/number.h"

namespace kura::store {
namespace {

// Up to the next `end`, which it is taken from.
std::string_view next_word(std::string_view& text, char end) {
  const std::string_view word = text.substr(0, text.find(end));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

}  // namespace

base::Result<std::vector<ObjectInfo>> parse_vault_listing(std::string_view text) {
  std::vector<ObjectInfo> objects;
  while (!text.empty()) {
    std::string_view line = next_word(text, '\n');
    const auto id = ObjectId::from_hex(next_word(line, ' '));
    const auto size = base::parse_number<std::uint64_t>(next_word(line, ' '));
    const auto received = base::parse_number<std::int64_t>(next_word(line, ' '));
    if (!id || !size || !received || (!line.empty() && line != "barred"))
      return base::fail(base::ErrorCode::kDamaged, "the vault's list of objects is malformed");
    objects.push_back({.id = *id, .size = *size, .received = *received, .barred = !line.empty()});
  }
  return objects;
}

}  // namespace kura::store
