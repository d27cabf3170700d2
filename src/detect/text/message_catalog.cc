#include "detect/text/message_catalog.h"

#include <algorithm>
#include <string>

namespace kura::detect {
namespace {

constexpr std::uint32_t kMagic = 0x950412de;
constexpr std::size_t kHeader = 28;
constexpr std::uint64_t kEntry = 8;  // a length and an offset
constexpr std::uint64_t kBatch = 4096;

class Catalog {
 public:
  Catalog(Window& in, Budget& budget) : in_(in), budget_(budget), swapped_(in.big32(0) == kMagic) {}

  Report check();

 private:
  std::uint32_t number(base::ByteSpan bytes, std::size_t at) const {
    return swapped_ ? big<std::uint32_t>(bytes, at) : little<std::uint32_t>(bytes, at);
  }
  Report check_table(std::uint64_t table, std::uint64_t count, const char* what);

  Window& in_;
  Budget& budget_;
  bool swapped_;
  std::uint64_t last_ = 0;  // where the text before ended
};

Report Catalog::check_table(std::uint64_t table, std::uint64_t count, const char* what) {
  if (table > in_.size() || count > (in_.size() - table) / kEntry) {
    return broken(in_.size(), std::string("the file ends early, within the table of ") + what);
  }
  // In batches: the texts lie elsewhere, and a window has one buffer.
  for (std::uint64_t done = 0; done < count; done += kBatch) {
    const std::uint64_t batch = std::min(kBatch, count - done);
    const auto bytes = in_.whole(table + kEntry * done, static_cast<std::size_t>(kEntry * batch));
    if (!bytes || !budget_.spend(64 * batch)) return over_budget();
    const base::Bytes entries(bytes->begin(), bytes->end());
    for (std::uint64_t i = 0; i < batch; ++i) {
      const auto at = static_cast<std::size_t>(kEntry * i);
      const std::uint64_t end = std::uint64_t{number(entries, at)} + number(entries, at + 4);
      // Texts follow each other: a jump costs a read.
      const bool jumps = in_.size() > Window::kAhead && (end < last_ || end - last_ > Window::kAhead);
      last_ = end;
      if (jumps && !budget_.spend(Window::kAhead)) return over_budget();
      if (in_.byte(end) == 0) continue;
      return broken(table + kEntry * done + at,
                    std::string("a text does not end where the table of ") + what + " says");
    }
  }
  return whole();
}

Report Catalog::check() {
  const auto head = in_.whole(0, kHeader);
  if (!head) return broken(in_.size(), "the file ends within its header");
  const std::uint64_t count = number(*head, 8), first = number(*head, 12), second = number(*head, 16);
  Report originals = check_table(first, count, "originals");
  return originals.finding == Finding::kWhole ? check_table(second, count, "translations") : originals;
}

}  // namespace

bool is_message_catalog(Window& in) {
  return in.size() >= kHeader && ((in.little32(0) == kMagic && in.little16(6).value_or(9) < 2) ||
                                  (in.big32(0) == kMagic && in.big16(4).value_or(9) < 2));
}

Report check_message_catalog(Window& in, Budget& budget) { return Catalog(in, budget).check(); }

}  // namespace kura::detect
