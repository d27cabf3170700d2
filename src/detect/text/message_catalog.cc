#include "detect/text/message_catalog.h"

#include <optional>
#include <string>

namespace kura::detect {
namespace {

constexpr std::uint32_t kMagic = 0x950412de;
constexpr std::uint64_t kEntry = 8;  // a length and an offset

class Catalog {
 public:
  Catalog(Window& in, Budget& budget) : in_(in), budget_(budget), swapped_(in.big32(0) == kMagic) {}

  Report check();

 private:
  std::uint64_t number(std::uint64_t at) {
    return (swapped_ ? in_.big32(at) : in_.little32(at)).value_or(~std::uint32_t{0});
  }
  Report check_table(std::uint64_t table, std::uint64_t count, const char* what);

  Window& in_;
  Budget& budget_;
  bool swapped_;
};

Report Catalog::check_table(std::uint64_t table, std::uint64_t count, const char* what) {
  if (table > in_.size() || count > (in_.size() - table) / kEntry) {
    return broken(in_.size(), std::string("the file ends early, within the table of ") + what);
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!budget_.spend(64)) return over_budget();
    const std::uint64_t length = number(table + kEntry * i);
    const std::uint64_t end = number(table + kEntry * i + 4) + length;
    if (in_.byte(end) != 0)
      return broken(table + kEntry * i, std::string("a text does not end where the table of ") + what + " says");
  }
  return whole();
}

Report Catalog::check() {
  const std::uint64_t count = number(8);
  Report originals = check_table(number(12), count, "originals");
  return originals.finding == Finding::kWhole ? check_table(number(16), count, "translations") : originals;
}

}  // namespace

bool is_message_catalog(Window& in) {
  return in.size() >= 28 && ((in.little32(0) == kMagic && in.little16(6).value_or(9) < 2) ||
                             (in.big32(0) == kMagic && in.big16(4).value_or(9) < 2));
}

Report check_message_catalog(Window& in, Budget& budget) { return Catalog(in, budget).check(); }

}  // namespace kura::detect
