// 7z (7zFormat.txt of the LZMA SDK): a start header with a checksum, packed streams, and at the end the header that
// lists them, with one as well. Packed streams are not unpacked here, as that needs the codecs of their folder and, in
// a solid archive, all of it: they are a dense stretch, and damage in them is missed.
#include <algorithm>

#include "detect/archives/validators.h"
#include "detect/codec/inflate.h"

namespace kura::detect::seven_zip {
namespace {

constexpr std::string_view kMagic("7z\xBC\xAF\x27\x1C", 6);
constexpr std::uint64_t kStart = 32;
constexpr std::string_view kAes("\x06\xF1\x07\x01", 4);

bool has_aes(Window& in, Range range) {
  const base::ByteSpan bytes =
      in.at(range.offset, static_cast<std::size_t>(std::min<std::uint64_t>(range.size, 1U << 20)));
  return base::as_text(bytes).find(kAes) != std::string_view::npos;
}

}  // namespace

bool recognise(Window& in) { return in.has(0, kMagic); }

Report check(Window& in, Budget& budget) {
  const auto head = in.whole(0, kStart);
  if (!head) return broken(in.size(), "the file ends within the start header");
  if ((*head)[6] != 0) return broken(6, "the version in the start header is none");
  if (crc32(head->subspan(12, 20)) != little<std::uint32_t>(*head, 8)) {
    return broken(8, "the checksum of the start header is wrong");
  }
  const auto offset = little<std::uint64_t>(*head, 12);
  const auto size = little<std::uint64_t>(*head, 20);
  const auto crc = little<std::uint32_t>(*head, 28);
  if (offset > in.size() - kStart || size > in.size() - kStart - offset) {
    return broken(in.size(), "the file ends before the header that the start header names");
  }
  if (size == 0) return whole();
  const Range header{kStart + offset, size};
  const std::uint8_t kind = in.byte(header.offset).value_or(0);
  if (crc32(in, header, budget) != crc) {
    return budget.spent_out() ? over_budget() : broken(header.offset, "the checksum of the header is wrong");
  }
  // 1 is a header, 23 one that is packed itself: with a password, that is what hides names.
  if (kind != 1 && kind != 23) return broken(header.offset, "the header is none");
  Report report;
  if (has_aes(in, header)) report = cipher("a 7z archive with a password");
  add_stretch(report.stretches, {{kStart, offset}, Density::kDense});
  add_stretch(report.stretches, {{header.end(), in.size() - header.end()}, Density::kPlain});
  return report;
}

}  // namespace kura::detect::seven_zip
