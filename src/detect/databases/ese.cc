// By libesedb's "Extensible Storage Engine (ESE) Database File (EDB) format": sections 2 (file header), 3 (page).
#include "detect/databases/ese.h"

#include <algorithm>
#include <string>
#include <vector>

namespace kura::detect::ese {
namespace {

constexpr std::uint32_t kMagic = 0x89ABCDEF;

std::uint32_t sum_of(base::ByteSpan bytes, std::uint32_t from) {
  for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) from ^= little<std::uint32_t>(bytes, i);
  return from;
}

// Of either kind of page: of the older one, the sum begins with a constant, of the newer one with the page's number.
// Large pages since Windows 7 have four sums of which this knows none.
bool page_sums(base::ByteSpan page, std::uint64_t number) {
  const auto said = little<std::uint32_t>(page, 0);
  return said == sum_of(page.subspan(4), kMagic) || said == sum_of(page.subspan(8), static_cast<std::uint32_t>(number));
}

std::uint64_t page_size(Window& in) {
  const std::uint64_t size = in.little32(236).value_or(0);
  const bool exists = size >= 2048 && size <= 32768 && (size & (size - 1)) == 0;
  return size == 0 ? 4096 : exists ? size : 0;
}

Report judge(Window& in, std::uint64_t size, Budget& budget) {
  const std::uint64_t pages = in.size() / size;
  std::uint64_t used = 0;
  std::uint64_t sums = 0;
  std::uint64_t first_bad = 0;
  for (std::uint64_t i = 2; i < pages; ++i) {
    const base::ByteSpan page = in.at(i * size, static_cast<std::size_t>(size));
    if (!budget.spend(size)) return over_budget();
    if (page.size() < size) break;
    // Pages that were never used have no sum.
    if (little<std::uint64_t>(page, 0) == 0 && std::ranges::all_of(page, [](std::uint8_t c) { return c == 0; }))
      continue;
    ++used;
    const bool right = page_sums(page, i - 1);
    sums += right ? 1U : 0U;
    if (!right && first_bad == 0) first_bad = i;
  }
  if (pages > 16 && used < pages / 64 + 2) return broken(2 * size, "its pages are wiped with zeros");
  // Where most sums are right, all must be; where they are not, this is a way of summing that is not known here.
  if (first_bad != 0 && sums * 2 > used) {
    return broken(first_bad * size, "the checksum of its page " + std::to_string(first_bad - 1) + " is wrong");
  }
  if (first_bad == 0) return whole();
  return whole({{{2 * size, in.size() - 2 * size}, Density::kPlain}});
}

}  // namespace

bool recognise(Window& in) { return in.little32(4) == kMagic && in.little32(8) == 0x620; }

Report check(Window& in, Budget& budget) {
  const std::uint64_t size = page_size(in);
  if (size == 0) return broken(236, "its header has a page size that does not exist");
  if (in.size() < 2 * size) return broken(in.size(), "it ends early, in its header");
  // A copy of the header follows it; one of them may be half written when the machine stopped.
  const auto sums = [&](std::uint64_t at) {
    const base::ByteSpan head = in.at(at, static_cast<std::size_t>(size));
    return head.size() == size && little<std::uint32_t>(head, 0) == sum_of(head.subspan(4), kMagic);
  };
  if (!sums(0) && !sums(size)) return broken(0, "the checksum of its header is wrong");
  if (in.size() % size != 0) return broken(in.size(), "it ends early, inside of a page");
  return judge(in, size, budget);
}

}  // namespace kura::detect::ese
