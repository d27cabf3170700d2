// age (age-encryption.org/v1): a header of text, a nonce, chunks of 64 KiB; binary, or in an armour as PEM has it.
#include <algorithm>
#include <optional>

#include "detect/ciphers/armour.h"
#include "detect/ciphers/validators.h"

namespace kura::detect {
namespace age_detail {

constexpr std::string_view kMagic = "age-encryption.org/v1\n";
constexpr std::string_view kArmour = "-----BEGIN AGE ENCRYPTED FILE-----";
constexpr std::uint64_t kChunk = (64U << 10) + 16;
constexpr std::size_t kHeaderMost = 256U << 10;

bool is_base64(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
  });
}

// Where the payload begins, or nothing when the header is none: stanzas ("-> TYPE ARGUMENTS", then lines of 64
// characters and a shorter one), then "--- " and a MAC of 43 characters.
std::optional<std::size_t> header_size(std::string_view text) {
  std::size_t at = kMagic.size();
  bool body = false;
  while (true) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (body) {
      if (line.size() > 64 || !is_base64(line)) return std::nullopt;
      body = line.size() == 64;
    } else if (line.starts_with("-> ")) {
      if (!std::ranges::all_of(line, [](char c) { return c >= ' ' && c < 0x7F; })) return std::nullopt;
      body = true;
    } else {
      if (line.size() != 47 || !line.starts_with("--- ") || !is_base64(line.substr(4))) return std::nullopt;
      return at;
    }
  }
}

Report check_binary(Window& in) {
  const auto header = header_size(base::as_text(in.at(0, kHeaderMost)));
  if (!header) return broken(0, "the header is damaged, or the file ends early");
  // A nonce of 16 bytes, then chunks with a tag of 16 each, the last not empty unless it is the only one.
  const std::uint64_t payload = in.size() - *header;
  if (payload < 32) return broken(in.size(), "the file ends early");
  const std::uint64_t rest = (payload - 16) % kChunk;
  if (rest != 0 && (rest < 16 || (rest == 16 && payload - 16 != 16))) return broken(in.size(), "the file ends early");
  Report report = cipher("a file encrypted by age");
  add_stretch(report.stretches, {{*header, payload}, Density::kDense});
  return report;
}

}  // namespace age_detail

bool age::recognise(Window& in) { return in.has(0, age_detail::kMagic) || in.has(0, age_detail::kArmour); }

Report age::check(Window& in, Budget& budget) {
  using namespace age_detail;
  if (in.has(0, kMagic)) return check_binary(in);
  armour::Block block;
  std::uint64_t offset = 0;
  if (!armour::read(in, offset, budget, block)) {
    return budget.spent_out() ? over_budget() : broken(block.wrong_at, block.evidence);
  }
  if (!base::as_text(block.head).starts_with(kMagic)) return broken(0, "what the armour holds is not age's");
  if (block.whole) {
    MemoryInput held(block.head);
    Window window(held);
    if (const Report inner = check_binary(window); inner.finding == Finding::kBroken) return broken(0, inner.evidence);
  }
  return cipher("a file encrypted by age");
}

}  // namespace kura::detect
