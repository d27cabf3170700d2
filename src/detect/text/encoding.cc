#include "detect/text/encoding.h"

#include <algorithm>
#include <array>

namespace kura::detect::text {
namespace {

constexpr std::size_t kHead = 4096;
constexpr std::size_t kSample = 512;

// How the bytes above 0x7f stand together, as each encoding would have it.
struct Fits {
  std::size_t high = 0;  // bytes above 0x7f
  std::size_t low = 0;   // of them below 0xa0: control characters in ISO 8859, common in Shift_JIS
  std::size_t utf8_wrong = 0;
  std::size_t utf8_right = 0;  // characters
  std::size_t shift_jis_wrong = 0;
  std::size_t euc_wrong = 0;
  std::size_t gb_wrong = 0;
  std::size_t big5_wrong = 0;
};

std::size_t utf8_length(std::uint8_t lead) {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

void count_utf8(base::ByteSpan bytes, Fits& fits) {
  for (std::size_t i = 0; i < bytes.size();) {
    if (bytes[i] < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = utf8_length(bytes[i]);
    std::size_t have = 1;
    while (have < length && i + have < bytes.size() && (bytes[i + have] & 0xc0) == 0x80) ++have;
    const bool cut = length > have && i + have == bytes.size();
    if (length != 0 && (have == length || cut)) {
      ++fits.utf8_right;
    } else {
      ++fits.utf8_wrong;
    }
    fits.high += have;
    i += have;
  }
}

// Counts pairs that `is_pair` does not allow; `single` are bytes above 0x7f that stand alone.
template <typename Single, typename Pair>
std::size_t wrong_pairs(base::ByteSpan bytes, const Single& single, const Pair& is_pair) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    if (bytes[i] < 0x80 || single(bytes[i])) continue;
    if (is_pair(bytes[i], bytes[i + 1])) {
      ++i;
    } else {
      ++wrong;
    }
  }
  return wrong;
}

Fits fits_of(base::ByteSpan bytes) {
  Fits fits;
  count_utf8(bytes, fits);
  if (fits.utf8_wrong == 0) return fits;
  fits.low =
      static_cast<std::size_t>(std::ranges::count_if(bytes, [](std::uint8_t b) { return b >= 0x80 && b < 0xa0; }));
  const auto none = [](std::uint8_t) { return false; };
  fits.shift_jis_wrong = wrong_pairs(
      bytes, [](std::uint8_t b) { return b >= 0xa1 && b <= 0xdf; },
      [](std::uint8_t b, std::uint8_t next) {
        return b != 0x80 && b <= 0xfc && next >= 0x40 && next != 0x7f && next <= 0xfc;
      });
  fits.euc_wrong = wrong_pairs(bytes, none, [](std::uint8_t b, std::uint8_t next) {
    return (b >= 0xa1 || b == 0x8e || b == 0x8f) && next >= 0xa1 && next <= 0xfe;
  });
  fits.gb_wrong = wrong_pairs(bytes, none, [](std::uint8_t b, std::uint8_t next) {
    return b >= 0x81 && ((next >= 0x40 && next != 0x7f && next <= 0xfe) || (next >= '0' && next <= '9'));
  });
  fits.big5_wrong = wrong_pairs(bytes, none, [](std::uint8_t b, std::uint8_t next) {
    return b >= 0x81 && ((next >= 0x40 && next <= 0x7e) || (next >= 0xa1 && next <= 0xfe));
  });
  return fits;
}

Encoding by_fit(base::ByteSpan bytes, const Fits& fits) {
  if (fits.utf8_wrong == 0 || fits.utf8_right > 20 * fits.utf8_wrong) {
    const bool shifts = fits.high == 0 && (base::as_text(bytes).find("\x1b$") != std::string_view::npos);
    return shifts ? Encoding::kIso2022 : Encoding::kUtf8;
  }
  const std::size_t let = fits.high / 100;  // sloppy cuts and mixes
  if (fits.high >= 4) {
    if (fits.euc_wrong <= let) return Encoding::kEuc;
    if (fits.shift_jis_wrong <= let && fits.low * 8 >= fits.high) return Encoding::kShiftJis;
    if (fits.big5_wrong <= let && fits.high * 5 > bytes.size()) return Encoding::kBig5;
    if (fits.gb_wrong <= let && fits.high * 3 > bytes.size()) return Encoding::kGb18030;
  }
  // Anything goes here, so what is short has to be typical: random bytes of less than 256 have few control characters.
  if (bytes.size() < 256 && fits.high * 4 > bytes.size()) return Encoding::kNone;
  return Encoding::kEightBit;
}

// Letters, digits and the like, or nothing, in every second byte.
Encoding by_zeros(base::ByteSpan bytes) {
  std::array<std::size_t, 2> zeros{};
  std::array<std::size_t, 2> printable{};
  const std::size_t units = bytes.size() / 2;
  if (units < 4) return Encoding::kNone;
  for (std::size_t i = 0; i < 2 * units; ++i) {
    zeros[i & 1] += static_cast<std::size_t>(bytes[i] == 0);
    const std::uint8_t byte = bytes[i];
    printable[i & 1] +=
        static_cast<std::size_t>((byte >= 0x20 && byte < 0x7f) || byte == 9 || byte == 10 || byte == 13);
  }
  for (const std::size_t high : {1U, 0U}) {
    if (zeros[high] * 10 < units * 7 || zeros[1 - high] * 50 > units || printable[1 - high] * 100 < units * 90)
      continue;
    return high == 1 ? Encoding::kUtf16Little : Encoding::kUtf16Big;
  }
  return Encoding::kNone;
}

Encoding by_mark(base::ByteSpan head) {
  const std::string_view text = base::as_text(head);
  Encoding found = Encoding::kNone;
  if (text.starts_with(std::string_view("\xff\xfe\0\0", 4))) {
    found = Encoding::kUtf32Little;
  } else if (text.starts_with(std::string_view("\0\0\xfe\xff", 4))) {
    found = Encoding::kUtf32Big;
  } else if (text.starts_with("\xff\xfe")) {
    found = Encoding::kUtf16Little;
  } else if (text.starts_with("\xfe\xff")) {
    found = Encoding::kUtf16Big;
  }
  // Two bytes alone are too weak a magic: a few units have to fit.
  if (found == Encoding::kNone || (head.size() > 4 && wide_texture(head, found) != Texture::kText))
    return Encoding::kNone;
  return found;
}

std::size_t nulls(base::ByteSpan bytes) { return static_cast<std::size_t>(std::ranges::count(bytes, 0)); }

Encoding by_head(base::ByteSpan head) {
  if (const Encoding marked = by_mark(head); marked != Encoding::kNone) return marked;
  if (const Encoding wide = by_zeros(head); wide != Encoding::kNone) return wide;
  if (nulls(head) * 1000 > head.size()) return Encoding::kNone;
  for (std::size_t at = 0; at < head.size(); at += kPiece) {
    if (texture(head.subspan(at, std::min(kPiece, head.size() - at))) != Texture::kText) return Encoding::kNone;
  }
  if (head.size() < kPiece && is_scrambled(head)) return Encoding::kNone;
  return by_fit(head, fits_of(head));
}

// Whether the bytes there are text beyond doubt, or beyond doubt something that is no damaged text.
bool is_surely_text(Window& in, std::uint64_t at) {
  const base::ByteSpan bytes = in.at(at, kSample);
  return texture(bytes) == Texture::kText && nulls(bytes) == 0 && fits_of(bytes).utf8_wrong <= 1;
}

bool is_records(Window& in, std::uint64_t at) {
  const base::ByteSpan bytes = in.at(at, kSample);
  return texture(bytes) == Texture::kOther;
}

}  // namespace

bool is_scrambled(base::ByteSpan bytes) {
  const auto controls = std::ranges::count_if(bytes, [](std::uint8_t b) {
    return (b < 0x20 && b != '\t' && b != '\n' && b != '\r' && b != '\f') || b == 0x7f;
  });
  if (controls == 0) return false;
  Fits fits;
  count_utf8(bytes, fits);
  return fits.utf8_wrong >= 2 && fits.utf8_wrong + static_cast<std::size_t>(controls) >= 4;
}

Encoding encoding_of(Window& in) {
  const base::ByteSpan head = in.at(0, kHead);
  if (head.empty()) return Encoding::kNone;
  const std::uint64_t size = in.size();
  const bool random = head.size() >= kPiece && texture(head.first(kPiece)) == Texture::kRandom;
  const Encoding found = by_head(head);
  if (is_wide(found) || size <= kHead) return found;
  if (found != Encoding::kNone) {
    // A text that describes the binary data after it is of another kind.
    const bool data = is_records(in, size / 2) && is_records(in, size - kSample);
    return data ? Encoding::kNone : found;
  }
  if (!random || size < 2 * kHead) return Encoding::kNone;
  const bool rest =
      is_surely_text(in, size / 2) && is_surely_text(in, size / 4 * 3) && is_surely_text(in, size - kSample);
  return rest ? Encoding::kUtf8 : Encoding::kNone;
}

}  // namespace kura::detect::text
