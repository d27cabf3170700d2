#include "detect/programs/names.h"

#include <algorithm>

namespace kura::detect::programs {

std::optional<std::uint64_t> first_not_names(Window& in, Range range, Budget& budget) {
  constexpr std::size_t kPiece = 1024;
  for (std::uint64_t done = 0; done < range.size;) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, range.size - done));
    if (!budget.spend(length)) return std::nullopt;
    const base::ByteSpan bytes = in.at(range.offset + done, length);
    if (bytes.empty()) return std::nullopt;
    std::size_t strange = 0;  // vectors
    for (const std::uint8_t byte : bytes) {
      strange += static_cast<std::size_t>(static_cast<std::uint8_t>(byte - 1) < 0x1f);
      strange += static_cast<std::size_t>(byte == 0x7f);
    }
    // Random bytes have an eighth.
    if (strange > 2 + bytes.size() / 64) return range.offset + done;
    done += bytes.size();
  }
  return std::nullopt;
}

}  // namespace kura::detect::programs
