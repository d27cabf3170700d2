#include "detect/archives/nested.h"

#include <algorithm>
#include <array>

#include "base/escape.h"
#include "detect/archives/validators.h"

namespace kura::detect::nested {
namespace {

// Only kinds that hold no others of this folder, so that there is one level.
struct Inner {
  bool (*recognise)(Window& in);
  Report (*check)(Window& in, Budget& budget);
};
bool is_zip(Window& in) { return zip::family(in) != zip::Family::kNone; }
constexpr std::array kInner = {Inner{is_zip, zip::check}, Inner{gzip::recognise, gzip::check},
                               Inner{xz::recognise, xz::check}, Inner{zstd::recognise, zstd::check},
                               Inner{bzip2::recognise, bzip2::check}};

// Reads by the window of the whole file, so it costs that one's buffer and a second.
class Part final : public Input {
 public:
  Part(Window& in, Range range) : in_(in), range_(range) {}
  std::uint64_t size() const override { return range_.size; }
  base::Result<std::size_t> read(std::uint64_t offset, base::MutableByteSpan into) override {
    if (offset >= range_.size) return 0;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), range_.size - offset));
    const base::ByteSpan bytes = in_.at(range_.offset + offset, wanted);
    std::ranges::copy(bytes, into.begin());
    return bytes.size();
  }

 private:
  Window& in_;
  Range range_;
};

// Text of any encoding that has ASCII's letters: no controls but those of layout.
bool begins_as_text(base::ByteSpan bytes) {
  return std::ranges::all_of(
      bytes, [](std::uint8_t byte) { return byte >= 0x20 ? byte < 0x7F : (byte >= 9 && byte <= 13) || byte == 0x1B; });
}

bool is_packed(base::ByteSpan head) {
  const std::string_view text = base::as_text(head);
  return text.starts_with("PK") || text.starts_with("\x1f\x8b\x08") || text.starts_with("BZh") ||
         text.starts_with("\xFD\x37zXZ") || text.starts_with("\x28\xB5\x2F\xFD");
}

}  // namespace

bool check_member(Window& in, Range range, Budget& budget, Report& report, std::string_view name) {
  if (range.size == 0) return true;
  const base::ByteSpan head = in.at(range.offset, static_cast<std::size_t>(std::min<std::uint64_t>(range.size, 512)));
  if (is_packed(head)) {
    Part part(in, range);
    Window window(part);
    const auto inner = std::ranges::find_if(kInner, [&](const Inner& kind) { return kind.recognise(window); });
    if (inner != kInner.end()) {
      Report found = inner->check(window, budget);
      if (budget.spent_out()) {
        report = over_budget();
        return false;
      }
      if (found.finding == Finding::kBroken) {
        report = broken(range.offset + found.at, "in " + base::printable(name.substr(0, 200)) + ": " + found.evidence);
        return false;
      }
      for (Stretch stretch : found.stretches) {
        stretch.range.offset += range.offset;
        add_stretch(report.stretches, stretch);
      }
      return true;
    }
  }
  add_stretch(report.stretches,
              {range, begins_as_text(in.at(range.offset, head.size())) ? Density::kPlain : Density::kDense});
  return true;
}

}  // namespace kura::detect::nested
