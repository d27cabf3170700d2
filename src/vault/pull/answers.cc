#include "vault/pull/answers.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "crypto/key_text.h"
#include "store/vault/json.h"
#include "vault/journal/entry.h"
#include "vault/registry/registry.h"

namespace kura::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;
using base::Result;

std::unexpected<base::Error> malformed_card(std::string_view why) {
  return base::fail(ErrorCode::kDamaged, fmt::format("what the vault says of itself is malformed: {}", why));
}

}  // namespace

Result<VaultCard> parse_vault_card(std::string_view body) {
  const json::object object = store::vault::parse_object(body);
  VaultCard card{.name = store::vault::text_in(object, "vault"), .key = {}, .repositories = {}};
  if (!check_name(card.name, "a vault")) return malformed_card("its name is none");
  const auto key = crypto::public_key_from_hex(store::vault::text_in(object, "key"));
  if (!key) return malformed_card("its key is none");
  card.key = *key;
  const json::value* const field = object.if_contains("repositories");
  const json::array* const names = field != nullptr ? field->if_array() : nullptr;
  if (names == nullptr) return malformed_card("it lists no repositories");
  if (names->size() > kMostRepositories) {
    return malformed_card(fmt::format("more than {} repositories are followed of no vault", kMostRepositories));
  }
  for (const json::value& name : *names) {
    const json::string* const text = name.if_string();
    if (text == nullptr || !check_name(std::string_view(*text), "a repository")) {
      return malformed_card("a name of a repository is none");
    }
    card.repositories.emplace_back(std::string_view(*text));
  }
  std::ranges::sort(card.repositories);
  const auto twice = std::ranges::unique(card.repositories);
  card.repositories.erase(twice.begin(), twice.end());
  return card;
}

Result<std::vector<base::ByteSpan>> split_entries(base::ByteSpan piece) {
  std::vector<base::ByteSpan> entries;
  while (!piece.empty()) {
    const std::size_t size = KURA_TRY(entry_size(piece.first(std::min(piece.size(), kEntryPrefix))));
    if (size > piece.size()) return base::fail(ErrorCode::kDamaged, "a piece of a journal ends within an entry");
    entries.push_back(piece.first(size));
    piece = piece.subspan(size);
  }
  return entries;
}

}  // namespace kura::vault
