// ar archives (System V, BSD; deb(5) packages): headers of 60 bytes of text, each followed by a member.
#include <algorithm>
#include <optional>

#include "base/escape.h"
#include "detect/archives/nested.h"
#include "detect/archives/validators.h"

namespace kura::detect::ar {
namespace {

constexpr std::size_t kHeader = 60;

std::optional<std::uint64_t> decimal(std::string_view field) {
  std::uint64_t value = 0;
  std::size_t at = 0;
  for (; at < field.size() && field[at] >= '0' && field[at] <= '9'; ++at) {
    value = value * 10 + static_cast<std::uint64_t>(field[at] - '0');
  }
  return at > 0 && field.find_first_not_of(' ', at) == std::string_view::npos ? std::optional(value) : std::nullopt;
}

// Fields are printable text, all of them.
bool is_header(std::string_view header) {
  return header.size() == kHeader && header.ends_with("`\n") && std::ranges::all_of(header.substr(16, 42), [](char c) {
           return c == ' ' || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace

bool recognise(Window& in) { return in.has(0, "!<arch>\n") || in.has(0, "!<thin>\n"); }

Report check(Window& in, Budget& budget) {
  Report report;
  const bool thin = in.has(0, "!<thin>\n");  // members are files elsewhere
  std::uint64_t offset = 8;
  std::string last = "the beginning";
  while (offset < in.size()) {
    if (!budget.spend(256)) return over_budget();
    const std::string_view header = base::as_text(in.at(offset, kHeader));
    // A padding byte of any kind may end the file.
    if (header.size() == 1) break;
    if (header.size() < kHeader) return broken(in.size(), "the file ends within a header");
    const auto size = decimal(header.substr(48, 10));
    if (!is_header(header) || !size) return broken(offset, "there is no header behind " + base::printable(last));
    const std::string_view name = header.substr(0, 16);
    last = "member " + std::string(name.substr(0, name.find_last_not_of(' ') + 1));
    const bool table = name.starts_with("/ ") || name.starts_with("// ") || name.starts_with("/SYM64/");
    offset += kHeader;
    if (thin && !table) continue;
    if (*size > in.size() - offset) return broken(in.size(), "the file ends within " + base::printable(last));
    if (!nested::check_member(in, {offset, *size}, budget, report, last)) return report;
    offset += *size + (*size & 1);
  }
  return report;
}

}  // namespace kura::detect::ar
