#include "archive/restore/renamed_files.h"

#include <utility>
#include <vector>

#include "detect/inspect/pairing.h"
#include "detect/kinds/kinds.h"

namespace kura::archive {
namespace {

std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }
std::string_view name_in(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// The last one, with its dot; empty when there is none.
std::string extension_of(std::string_view path) {
  const std::string_view name = name_in(path);
  const std::size_t dot = name.rfind('.');
  return std::string(dot == std::string_view::npos || dot == 0 ? std::string_view() : name.substr(dot));
}

// Of broken ones without an extension: then it is the attack that names files so.
constexpr std::size_t kManyNameless = 3;

// A time and a folder.
using Place = std::pair<std::size_t, std::string_view>;
struct Moved {
  std::vector<detect::FoundFile> went, came;
};

}  // namespace

void HiddenFiles::went(const std::string& path, std::uint64_t size) {
  paths_.emplace(std::pair(std::string(folder_of(path)), size), path);
}

const std::string* HiddenFiles::before(const std::string& path, std::uint64_t size) const {
  if (size == 0 || detect::promised_by(name_in(path)) != nullptr) return nullptr;
  const auto [first, last] = paths_.equal_range({std::string(folder_of(path)), size});
  return first != last && std::next(first) == last ? &first->second : nullptr;
}

RenamedFiles::RenamedFiles(const std::map<std::string, GoneFileVersion>& gone,
                           const std::map<std::string, CameFile>& came) {
  Files broken, others;
  for (const auto& [path, file] : came) {
    // Of a kind that its name says: somebody's own.
    if (detect::promised_by(name_in(path)) != nullptr) continue;
    (file.is_broken ? broken : others).emplace(path, file);
  }
  match(gone, broken, true);
  std::erase_if(others, [&](const auto& file) { return !extensions_.contains(extension_of(file.first)); });
  match(gone, others, false);
  match_nameless(gone, others);
}

// Names that say nothing, and nothing broken to see: where one went that nothing came for.
void RenamedFiles::match_nameless(const std::map<std::string, GoneFileVersion>& gone, const Files& others) {
  if (nameless_ < kManyNameless) return;
  using Size = std::pair<Place, std::uint64_t>;
  std::map<Place, std::size_t> spare;
  std::map<Size, std::vector<const std::string*>> went;
  for (const auto& [path, file] : gone) {
    if (now_.contains(path)) continue;
    const Place place{file.number, folder_of(path)};
    went[{place, file.size}].push_back(&path);
    ++spare[place];
  }
  for (const auto& [path, file] : others) {
    const Place place{file.number, folder_of(path)};
    if (taken_.contains(path) || !extension_of(path).empty() || spare[place] == 0) continue;
    const auto found = went.find({place, file.size});
    if (found == went.end()) {
      // Grown, as by a footer or another encoding, and named as the attack names.
      if (name_in(path).size() != nameless_length_) continue;
    } else {
      if (found->second.size() != 1) continue;
      now_.emplace(*found->second.front(), path);
      went.erase(found);
    }
    --spare[place];
    taken_.insert(path);
  }
}

void RenamedFiles::match(const std::map<std::string, GoneFileVersion>& gone, const Files& came, bool learn) {
  std::map<Place, Moved> places;
  for (const auto& [path, file] : came) {
    if (taken_.contains(path)) continue;
    places[{file.number, folder_of(path)}].came.push_back({std::string(name_in(path)), file.size});
  }
  for (const auto& [path, file] : gone) {
    const auto at = places.find({file.number, folder_of(path)});
    if (at == places.end() || now_.contains(path)) continue;
    at->second.went.push_back({std::string(name_in(path)), file.size});
  }
  for (const auto& [place, moved] : places) {
    const auto partners = detect::pair_up(moved.went, moved.came);
    const std::string folder(place.second);
    std::size_t spare = moved.went.size();  // whole ones that went, and for which nothing came yet
    for (const auto& partner : partners) spare -= partner ? 1 : 0;
    for (std::size_t i = 0; i < partners.size(); ++i) {
      const std::string path = folder + moved.came[i].name;
      const bool has_extension = !extension_of(path).empty();
      // Under a name that says nothing, and where as many went: one of those, whichever it is.
      if (!partners[i] && (spare == 0 || has_extension || !learn)) continue;
      if (!learn && !has_extension) continue;
      if (partners[i]) {
        now_.emplace(folder + moved.went[*partners[i]].name, path);
      } else {
        --spare;
      }
      taken_.insert(path);
      if (learn) extensions_.insert(extension_of(path));
      if (learn && !has_extension) learn_nameless(name_in(path).size());
    }
  }
}

void RenamedFiles::learn_nameless(std::size_t length) {
  nameless_length_ = nameless_ == 0 || nameless_length_ == length ? length : 0;
  ++nameless_;
}

bool RenamedFiles::has_its_name(std::string_view path) const {
  if (taken_.contains(std::string(path))) return true;
  if (detect::promised_by(name_in(path)) != nullptr) return false;
  const std::string extension = extension_of(path);
  return extension.empty() ? nameless_ >= kManyNameless : extensions_.contains(extension);
}

}  // namespace kura::archive
