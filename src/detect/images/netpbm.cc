#include "detect/images/netpbm.h"

#include <optional>

namespace kura::detect::netpbm {
namespace {

constexpr std::size_t kHeaderMost = 4096;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Moves `at` behind a number that stands behind white space and comments.
std::optional<std::uint64_t> read_number(std::string_view head, std::size_t& at) {
  while (at < head.size() && (is_space(head[at]) || head[at] == '#')) {
    if (head[at] == '#') at = std::min(head.find('\n', at), head.size() - 1);
    ++at;
  }
  const std::size_t begin = at;
  std::uint64_t number = 0;
  while (at < head.size() && head[at] >= '0' && head[at] <= '9' && at - begin < 7) {
    number = number * 10 + static_cast<std::uint64_t>(head[at++] - '0');
  }
  if (at == begin || at == head.size() || !is_space(head[at])) return std::nullopt;
  return number;
}

struct Header {
  std::uint64_t pixels_at = 0;
  std::uint64_t picture_size = 0;  // bytes of one picture
};

std::optional<Header> read_header(Window& in) {
  const std::string_view head = base::as_text(in.at(0, kHeaderMost));
  if (head.size() < 8 || head[0] != 'P' || head[1] < '4' || head[1] > '6') return std::nullopt;
  std::size_t at = 2;
  const auto width = read_number(head, at);
  const auto height = width ? read_number(head, at) : std::nullopt;
  const auto most = head[1] == '4' ? std::optional<std::uint64_t>(1) : height ? read_number(head, at) : std::nullopt;
  if (!height || !most || *width == 0 || *height == 0 || *most == 0 || *most > 65535) return std::nullopt;
  const std::uint64_t samples = *width * (head[1] == '6' ? 3 : 1) * (*most > 255 ? 2 : 1);
  const std::uint64_t row = head[1] == '4' ? (*width + 7) / 8 : samples;
  return Header{at + 1, row * *height};
}

}  // namespace

bool recognise(Window& in) { return read_header(in).has_value(); }

Report check(Window& in, Budget&) {
  const auto header = read_header(in);
  if (!header) return broken(0, "its header is damaged");
  if (in.size() - header->pixels_at < header->picture_size) {
    return broken(in.size(), "the file ends early, within the picture");
  }
  return whole({{{header->pixels_at, in.size() - header->pixels_at}, Density::kPlain, kBytesOfSamples}});
}

}  // namespace kura::detect::netpbm
