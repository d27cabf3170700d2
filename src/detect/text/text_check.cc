#include "detect/text/text_check.h"

#include <algorithm>
#include <array>

#include "detect/text/disguise.h"

namespace kura::detect::text {
namespace {

constexpr std::size_t kView = 64U << 10;

// Texts whose readers expect binary data further on.
bool may_hold_data(base::ByteSpan head) {
  static constexpr std::string_view kBeginnings[] = {"%!PS",  "%PDF",    "P4\n",      "P5\n",       "P6\n",  "P7\n",
                                                     "Pf\n",  "PF\n",    "NRRD",      "#?RADIANCE", "ply\n", "ply\r",
                                                     "# vtk", "# .PCD",  "SIMPLE  =", "WARC/",      "HTTP/", "!<arch>",
                                                     "07070", "=ybegin", "#?RGBE",    "BEGINBINARY"};
  return std::ranges::any_of(kBeginnings, [&](std::string_view s) { return base::as_text(head).starts_with(s); });
}

// Whether a packed payload, as installers and executable archives carry it behind a script, begins around there.
bool payload_begins(Window& in, std::uint64_t at) {
  static constexpr std::string_view kMagics[] = {"\x1f\x8b\x08",
                                                 "\xfd"
                                                 "7zXZ",
                                                 "BZh9",
                                                 "PK\3\4",
                                                 "\x28\xb5\x2f\xfd",
                                                 "7z\xbc\xaf\x27",
                                                 "\x7f"
                                                 "ELF",
                                                 "ustar",
                                                 "LZIP",
                                                 "070701"};
  const std::uint64_t from = at - std::min<std::uint64_t>(at, 2 * kPiece);
  const std::string_view text = base::as_text(in.at(from, 4 * kPiece));
  return std::ranges::any_of(kMagics,
                             [&](std::string_view magic) { return text.find(magic) != std::string_view::npos; });
}

class Checker {
 public:
  Checker(Window& in, Encoding encoding) : in_(in), encoding_(encoding) {
    may_hold_data_ = may_hold_data(in.at(0, 16));
  }

  Report run(Budget& budget) {
    const std::uint64_t size = in_.size();
    for (std::uint64_t at = 0; at < size && !payload_;) {
      if (!budget.spend(kView)) return over_budget();
      const base::ByteSpan view = in_.at(at, kView);
      if (view.empty()) break;
      const std::uint64_t next = at + view.size();
      look_through(view, at);
      at = next;
      if (random_ > 0 && !settled_) settle();
    }
    return verdict();
  }

 private:
  void look_through(base::ByteSpan view, std::uint64_t at) {
    for (std::size_t i = 0; i < view.size(); i += kPiece) {
      // The last piece is filled up from before it, so that the end of a file is not told by a few bytes.
      const std::size_t length = std::min(kPiece, view.size() - i);
      const std::size_t from = length < kPiece ? i - std::min(i, kPiece - length) : i;
      const base::ByteSpan piece = view.subspan(is_wide(encoding_) ? from & ~std::size_t{3} : from, i + length - from);
      if (!is_wide(encoding_)) disguise_.add(view.subspan(i, length));
      if (length < kPiece && !is_wide(encoding_) && is_scrambled(view.subspan(i, length))) {
        note(Texture::kRandom, at + i, length);
        continue;
      }
      note(is_wide(encoding_) ? wide_texture(piece, encoding_) : texture(piece), at + i, length);
    }
  }

  void note(Texture texture, std::uint64_t at, std::size_t length) {
    if (texture == Texture::kText) return;
    if (texture == Texture::kOther) {
      add_stretch(stretches_, {{at, length}, Density::kPlain});
      return;
    }
    if (random_ == 0) first_random_ = at;
    random_ += length;
    if (may_hold_data_) add_stretch(stretches_, {{at, length}, Density::kDense});
  }

  // Asked once, at the first random bytes.
  void settle() {
    settled_ = true;
    payload_ = !may_hold_data_ && !is_wide(encoding_) && first_random_ > 0 && payload_begins(in_, first_random_);
  }

  Report verdict() {
    if (payload_) {
      add_stretch(stretches_, {{first_random_, in_.size() - first_random_}, Density::kDense});
    } else if (random_ > 0 && !may_hold_data_) {
      return broken(first_random_, "bytes that no text has stand from " + std::to_string(first_random_) + " on, in " +
                                       std::to_string((random_ + 1023) / 1024) + " KiB of it");
    } else if (disguise_.is_suspicious()) {
      return broken(0, disguise_.evidence());
    } else if (disguise_.is_declared_cipher()) {
      return cipher("base64 of what OpenSSL encrypted");
    }
    return whole(std::move(stretches_));
  }

  Window& in_;
  Encoding encoding_;
  bool may_hold_data_ = false;
  bool payload_ = false;
  bool settled_ = false;
  std::uint64_t random_ = 0;
  std::uint64_t first_random_ = 0;
  Disguise disguise_;
  std::vector<Stretch> stretches_;
};

}  // namespace

Report check_text(Window& in, Budget& budget, Encoding encoding) { return Checker(in, encoding).run(budget); }

}  // namespace kura::detect::text
