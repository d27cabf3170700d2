// What a ZIP archive is, by the names of its parts.
#include <algorithm>
#include <array>

#include "detect/archives/validators.h"
#include "detect/archives/zip_directory.h"

namespace kura::detect::zip {
namespace {

constexpr std::size_t kLook = 32U << 10;

// What a name of a part says; kNone when nothing.
Family by_name(std::string_view name) {
  struct Sign {
    std::string_view prefix;
    Family family;
  };
  static constexpr std::array<Sign, 9> kSigns = {{{"word/", Family::kDocx},
                                                  {"xl/", Family::kXlsx},
                                                  {"ppt/", Family::kPptx},
                                                  {"AndroidManifest.xml", Family::kApk},
                                                  {"META-INF/MANIFEST.MF", Family::kJar},
                                                  {"META-INF/container.xml", Family::kEpub},
                                                  {"[Content_Types].xml", Family::kOoxml},
                                                  {"_rels/.rels", Family::kOoxml},
                                                  {"docProps/", Family::kOoxml}}};
  for (const Sign& sign : kSigns) {
    if (name.starts_with(sign.prefix)) return sign.family;
  }
  return Family::kNone;
}

// OpenDocument and EPUB name themselves in a first, stored part (OpenDocument 1.3 part 2, 3.3; EPUB OCF 3.3, 4.3).
Family by_mimetype(std::string_view type) {
  if (type.starts_with("application/epub+zip")) return Family::kEpub;
  constexpr std::string_view kOasis = "application/vnd.oasis.opendocument.";
  if (!type.starts_with(kOasis)) return Family::kNone;
  type.remove_prefix(kOasis.size());
  if (type.starts_with("text")) return Family::kOdt;
  if (type.starts_with("spreadsheet")) return Family::kOds;
  if (type.starts_with("presentation")) return Family::kOdp;
  return Family::kOpenDocument;
}

// The most telling name after any of the magics in `text`; names stand `skip` bytes after them.
Family look_through(std::string_view text, std::string_view magic, std::size_t skip) {
  Family found = Family::kNone;
  for (std::size_t at = text.find(magic); at != std::string_view::npos; at = text.find(magic, at + 4)) {
    if (text.size() - at <= skip) break;
    const Family said = by_name(text.substr(at + skip));
    if (said == Family::kNone) continue;
    if (said != Family::kOoxml && said != Family::kJar) return said;
    found = said;
  }
  return found;
}

bool begins(Window& in) {
  if (in.has(0, "PK\3\4") || in.has(0, "PK\5\6")) return true;
  // One that was to be split and was not, and one that a shell hands to an interpreter.
  if (in.has(0, "PK00PK\3\4") || in.has(0, "PK\7\x08PK\3\4")) return true;
  if (!in.has(0, "#!")) return false;
  const std::string_view line = base::as_text(in.at(0, 256));
  return line.substr(std::min(line.find('\n'), line.size())).starts_with("\nPK\3\4");
}

}  // namespace

Family family(Window& in) {
  if (!begins(in)) return Family::kNone;
  const std::string_view head = base::as_text(in.at(0, kLook));
  if (head.size() > 38 && head.substr(30).starts_with("mimetype")) {
    const auto extra = static_cast<std::size_t>(static_cast<std::uint8_t>(head[28]));
    const Family said = by_mimetype(head.substr(std::min(38 + extra, head.size())));
    if (said != Family::kNone) return said;
  }
  Family said = look_through(head, "PK\3\4", 30);
  if (said != Family::kOoxml && said != Family::kNone) return said;
  const std::uint64_t tail = in.size() - std::min<std::uint64_t>(in.size(), kLook);
  const Family late = look_through(base::as_text(in.at(tail, kLook)), "PK\1\2", 46);
  if (late != Family::kNone) said = late;
  return said == Family::kNone ? Family::kPlain : said;
}

}  // namespace kura::detect::zip
