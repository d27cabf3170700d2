// A private key as GnuPG's agent keeps it: a canonical S-expression, lists in parentheses and strings behind their
// lengths.
#include <optional>

#include "detect/ciphers/validators.h"

namespace kura::detect::s_expression {
namespace {

constexpr std::uint64_t kMost = 64U << 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Moves `at` behind a string; false when there is none.
bool skip_string(std::string_view text, std::size_t& at) {
  std::size_t size = 0;
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at]) && at - begin < 6)
    size = size * 10 + static_cast<std::size_t>(text[at++] - '0');
  if (at == begin || at == text.size() || text[at] != ':' || size > text.size() - at - 1) return false;
  at += 1 + size;
  return true;
}

}  // namespace

bool recognise(Window& in) {
  const base::ByteSpan head = in.at(0, 8);
  return in.size() <= kMost && head.size() == 8 &&
         (in.has(0, "(21:prot") || in.has(0, "(11:priv") || in.has(0, "(20:shad") || in.has(0, "(10:publ"));
}

Report check(Window& in, Budget& budget) {
  const std::string_view text = base::as_text(in.at(0, kMost));
  if (!budget.spend(text.size())) return over_budget();
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (depth == 0 && at > 0) return whole({{{at, text.size() - at}, Density::kPlain}});
    if (text[at] == '(') {
      ++depth;
      ++at;
    } else if (text[at] == ')') {
      --depth;
      ++at;
    } else if (!skip_string(text, at)) {
      return broken(at, "there is neither a string nor a list where one has to be");
    }
  }
  return depth == 0 ? whole() : broken(text.size(), "the file ends early, within a list");
}

}  // namespace kura::detect::s_expression
