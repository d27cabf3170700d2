#include "detect/images/jpeg2000.h"

#include <algorithm>

namespace kura::detect::jpeg2000 {
namespace {

enum Marker : std::uint16_t {
  kSoc = 0xFF4F,  // the codestream begins
  kSiz = 0xFF51,
  kSot = 0xFF90,  // a tile part begins
  kSop = 0xFF91,  // in the data, where the coder was asked for them
  kEph = 0xFF92,
  kSod = 0xFF93,  // data begin
  kEoc = 0xFFD9
};

constexpr std::string_view kSignature("\0\0\0\x0cjP  \r\n\x87\n", 12);
constexpr std::size_t kPiece = 64U << 10;

Report cut_short(Window& in) { return broken(in.size(), "the file ends early, within the picture"); }

class Codestream {
 public:
  Codestream(Window& in, Range range, Budget& budget)
      : in_(in), budget_(budget), at_(range.offset), end_(range.end()) {}

  Report check();

 private:
  std::uint16_t marker() { return in_.big16(at_).value_or(0); }
  bool skip_segments(std::uint16_t last);
  bool check_tile_part();
  bool check_data(std::uint64_t end);
  bool fail(std::uint64_t at, std::string why) {
    report_ = broken(at, std::move(why));
    return false;
  }
  bool run_out() {
    report_ = over_budget();
    return false;
  }

  Window& in_;
  Budget& budget_;
  std::uint64_t at_;
  std::uint64_t end_;
  Report report_;
};

// Up to a marker that ends a header.
bool Codestream::skip_segments(std::uint16_t last) {
  while (marker() != last) {
    const std::uint16_t length = in_.big16(at_ + 2).value_or(0);
    if (!budget_.spend(16)) return run_out();
    if (marker() < 0xFF00 || length < 2) return fail(at_, "there is no marker where one has to be");
    at_ += 2 + std::uint64_t{length};
    if (at_ >= end_) return fail(in_.size(), "the file ends early, within a header");
  }
  return true;
}

bool Codestream::check_data(std::uint64_t end) {
  bool after_ff = false;
  while (at_ < end) {
    const base::ByteSpan bytes = in_.at(at_, static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, end - at_)));
    if (bytes.empty()) return fail(at_, "the file ends early, within the picture");
    if (!budget_.spend(bytes.size())) return run_out();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::uint8_t byte = bytes[i];
      if (after_ff && byte > 0x8F && byte != (kSop & 0xFF) && byte != (kEph & 0xFF)) {
        return fail(at_ + i, "the coded data hold bytes that no coder writes");
      }
      after_ff = byte == 0xFF;
    }
    at_ += bytes.size();
  }
  return true;
}

bool Codestream::check_tile_part() {
  const std::uint64_t start = at_;
  if (in_.big16(at_ + 2) != 10U) return fail(at_, "the header of a tile part is damaged");
  const std::uint64_t size = in_.big32(at_ + 6).value_or(0);
  // 0: it is the last, and goes on to the end marker, which some leave out.
  const std::uint64_t end = size != 0 ? start + size : in_.big16(end_ - 2) == kEoc ? end_ - 2 : end_;
  if (end > end_) return fail(in_.size(), "the file ends early, within a tile part");
  if (!skip_segments(kSod)) return false;
  at_ += 2;
  if (at_ > end) return fail(start, "a tile part is shorter than its header");
  return check_data(end);
}

Report Codestream::check() {
  at_ += 2;
  if (!skip_segments(kSot)) return report_;
  while (marker() == kSot) {
    if (!check_tile_part()) return report_;
  }
  if (at_ < end_ && marker() != kEoc) return broken(at_, "there is no tile part where one has to be");
  return report_;
}

bool is_codestream(Window& in, std::uint64_t offset) {
  return in.big16(offset) == kSoc && in.big16(offset + 2) == kSiz && in.big16(offset + 4).value_or(0) >= 41;
}

}  // namespace

bool recognise(Window& in) { return in.has(0, kSignature) || is_codestream(in, 0); }

Report check(Window& in, Budget& budget) {
  if (is_codestream(in, 0)) return Codestream(in, {0, in.size()}, budget).check();
  Report report;
  bool pictured = false;
  for (std::uint64_t at = 0; at < in.size();) {
    const auto head = in.whole(at, 8);
    if (!budget.spend(16)) return over_budget();
    if (!head) return cut_short(in);
    const auto is_odd = [](std::uint8_t byte) { return byte < ' ' || byte > '~'; };
    std::uint64_t size = big<std::uint32_t>(*head), header = 8;
    const std::string type(base::as_text(head->subspan(4)));
    if (std::ranges::any_of(head->subspan(4), is_odd)) return broken(at, "there is no box where one has to be");
    if (size == 1) {
      size = in.big64(at + 8).value_or(0);
      header = 16;
    } else if (size == 0) {
      size = in.size() - at;
    }
    if (size < header) return broken(at, "a box of an impossible size");
    if (size > in.size() - at) return cut_short(in);
    const Range body{at + header, size - header};
    at += size;
    if (type != "jp2c") {
      if (type != "jp2h" && type != "jP  ") add_stretch(report.stretches, {body, Density::kPlain});
      continue;
    }
    if (!is_codestream(in, body.offset)) return broken(body.offset, "there is no picture where one has to be");
    Report picture = Codestream(in, body, budget).check();
    if (picture.finding != Finding::kWhole) return picture;
    pictured = true;
  }
  return pictured ? report : broken(in.size(), "it holds no picture");
}

}  // namespace kura::detect::jpeg2000
