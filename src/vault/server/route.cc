#include "vault/server/route.h"

#include <algorithm>

namespace kura::vault {
namespace {

std::optional<store::Kind> kind_of(std::string_view folder) {
  const auto at = std::ranges::find(store::kAllKinds, folder, store::folder_of);
  return at == store::kAllKinds.end() ? std::nullopt : std::optional(*at);
}

}  // namespace

std::string_view next_part(std::string_view& path) {
  if (!path.starts_with('/')) return {};
  path.remove_prefix(1);
  const std::string_view part = path.substr(0, path.find('/'));
  path.remove_prefix(part.size());
  return part;
}

Route route_of(std::string_view path) {
  Route route{.action = next_part(path)};
  route.kind = kind_of(route.action);
  const bool names_one = path.starts_with('/');
  route.id = store::ObjectId::from_hex(next_part(path));
  const bool has_detail = route.id && path.starts_with('/');
  route.detail = next_part(path);
  route.has_more = !path.empty() || (names_one && !route.id) || (has_detail && route.detail != "copies");
  return route;
}

}  // namespace kura::vault
