#include "detect/kinds/kinds.h"

#include <algorithm>
#include <array>
#include <string>

#include "detect/archives/archives_kinds.h"
#include "detect/ciphers/ciphers_kinds.h"
#include "detect/databases/databases_kinds.h"
#include "detect/disks/disks_kinds.h"
#include "detect/documents/documents_kinds.h"
#include "detect/images/images_kinds.h"
#include "detect/media/media_kinds.h"
#include "detect/programs/programs_kinds.h"
#include "detect/text/text_kinds.h"

namespace kura::detect {
namespace {

// Those with the most telling beginnings first, and text, which is told by having none, last.
const std::array<std::span<const Kind>, 9>& groups() {
  static const std::array<std::span<const Kind>, 9> all = {documents_kinds(), archives_kinds(),  images_kinds(),
                                                           media_kinds(),     databases_kinds(), programs_kinds(),
                                                           disks_kinds(),     ciphers_kinds(),   text_kinds()};
  return all;
}

template <typename Predicate>
const Kind* first_kind(const Predicate& fits) {
  for (const std::span<const Kind> group : groups()) {
    for (const Kind& kind : group) {
      if (fits(kind)) return &kind;
    }
  }
  return nullptr;
}

// Lower case, without the dot; empty when there is none.
std::string extension_of(std::string_view name) {
  name.remove_prefix(std::min(name.size(), name.rfind('/') + 1));
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  std::string extension(name.substr(dot + 1));
  std::ranges::transform(extension, extension.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension;
}

// Whether `word` is one of the words of `list`, which stand between single spaces.
bool has_word(std::string_view list, std::string_view word) {
  if (word.empty()) return false;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace

const Kind* recognise(Window& in) {
  return first_kind([&](const Kind& kind) { return kind.recognise(in); });
}

const Kind* promised_by(std::string_view name) {
  const std::string extension = extension_of(name);
  return first_kind([&](const Kind& kind) { return has_word(kind.extensions, extension); });
}

bool may_be(std::string_view name, const Kind& kind) { return has_word(kind.extensions, extension_of(name)); }

const Kind* kind_named(std::string_view name) {
  return first_kind([&](const Kind& kind) { return kind.name == name; });
}

}  // namespace kura::detect
