// Blocks chain by their lengths to the trailer, and each image's codes stand for exactly its pixels.
#include "detect/images/gif.h"

#include "detect/images/lzw.h"

namespace kura::detect::gif {
namespace {

class Reader {
 public:
  Reader(Window& in, Budget& budget) : in_(&in), budget_(&budget) {}
  Report read();

 private:
  const char* image();
  const char* extension();
  const char* blocks(lzw::Codes* codes);

  Window* in_;
  Budget* budget_;
  std::uint64_t at_ = 0;
};

constexpr const char* kEarly = "the file ends early";

std::uint64_t palette(std::uint8_t flags) { return (flags & 0x80U) == 0 ? 0 : 3ULL << ((flags & 7U) + 1); }

// Sub-blocks up to the empty one.
const char* Reader::blocks(lzw::Codes* codes) {
  while (budget_->spend(2)) {
    const base::ByteSpan view = in_->at(at_, 256);
    if (view.empty() || view.size() < 1U + view[0]) return kEarly;
    const std::size_t length = view[0];
    at_ += 1 + length;
    if (length == 0) return nullptr;
    if (!budget_->spend(2 * length)) return nullptr;
    if (codes != nullptr && !codes->follow(view.subspan(1, length)))
      return "a code in an image that stands for nothing";
  }
  return nullptr;
}

const char* Reader::image() {
  const base::ByteSpan head = in_->at(at_, 10);
  if (head.size() < 10) return kEarly;
  const std::uint64_t pixels = std::uint64_t{little<std::uint16_t>(head, 5)} * little<std::uint16_t>(head, 7);
  at_ += 10 + palette(head[9]);
  const std::uint8_t bits = in_->byte(at_).value_or(0);
  if (bits < 1 || bits > 11) return "an image with an impossible code size";
  ++at_;
  lzw::Codes codes(lzw::Order::kLowFirst, bits);
  if (const char* wrong = blocks(&codes)) return wrong;
  if (codes.made() < pixels) return "an image with too few pixels";
  if (codes.made() > pixels + 4096) return "an image with too many pixels";
  return nullptr;
}

const char* Reader::extension() {
  at_ += 2;
  return blocks(nullptr);
}

Report Reader::read() {
  const base::ByteSpan head = in_->at(0, 13);
  if (head.size() < 13) return broken(0, kEarly);
  at_ = 13 + palette(head[10]);
  bool pictured = false;
  while (budget_->spend(8)) {
    const std::uint64_t here = at_;
    const auto introducer = in_->byte(at_);
    // Some writers leave the trailer out, and no reader wants it.
    if (!introducer && pictured && at_ == in_->size()) return whole();
    if (!introducer) return broken(in_->size(), "the file ends early, without a trailer");
    if (*introducer == 0x3B) {
      std::vector<Stretch> stretches;
      if (at_ + 1 < in_->size()) add_stretch(stretches, {{at_ + 1, in_->size() - at_ - 1}, Density::kDense});
      return whole(std::move(stretches));
    }
    const char* wrong = nullptr;
    if (*introducer == 0x2C) {
      wrong = image();
      pictured = true;
    } else if (*introducer == 0x21) {
      wrong = extension();
    } else if (*introducer == 0) {
      ++at_;  // padding of some writers
    } else {
      wrong = "there is no block where one has to be";
    }
    if (wrong != nullptr) return broken(here, wrong);
  }
  return over_budget();
}

}  // namespace

bool recognise(Window& in) { return in.has(0, "GIF87a") || in.has(0, "GIF89a"); }

Report check(Window& in, Budget& budget) { return Reader(in, budget).read(); }

}  // namespace kura::detect::gif
