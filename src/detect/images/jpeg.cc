// The markers chain; a scan's bytes keep the marker rules (0xFF only before 0x00 or the next RSTn): of 4 KiB of random
// bytes less than one in a million does. Codes are followed to the last block where that is cheap (short scans) or
// where something is odd (long runs of one byte, bytes after the end, restarts that are missing): following all of
// every picture would cost ten times the time. That misses short damage in long scans that happens to have no 0xFF.
#include "detect/images/jpeg.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "detect/images/jpeg_scan.h"

namespace kura::detect::jpeg {
namespace {

constexpr std::uint64_t kShort = 16U << 10;  // scans up to this are always followed
constexpr std::uint64_t kFew = 8U << 10;     // blocks of a component of which coefficients are remembered
constexpr std::size_t kView = 256U << 10;

// What the marker rules say of a scan's bytes.
struct Passed {
  std::uint64_t end = 0;  // of the marker after it
  std::uint64_t restarts = 0;
  bool runs = false;  // has long runs of one byte
  const char* wrong = nullptr;
};

// Whether there is a run of one byte of 300 bytes or more in it.
bool has_run(base::ByteSpan bytes) {
  constexpr std::size_t kStep = 256;
  constexpr std::size_t kLook = 32;
  for (std::size_t i = 0; i + kLook < bytes.size(); i += kStep) {
    if (std::memcmp(bytes.data() + i, bytes.data() + i + 1, kLook) == 0) return true;
  }
  return false;
}

// Passes the markers of one view that belong to the scan. Returns how many bytes of it are done with, or sets `end`.
std::size_t pass_view(base::ByteSpan view, std::uint64_t offset, bool restarts_allowed, Passed& passed) {
  std::size_t i = 0;
  while (true) {
    const void* const found = std::memchr(view.data() + i, 0xFF, view.size() - i);
    if (found == nullptr) return view.size();
    i = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - view.data());
    if (i + 1 == view.size()) return i;
    const std::uint8_t next = view[i + 1];
    if (next == 0) {
      i += 2;
    } else if (next == 0xFF) {
      ++i;
    } else if (next >= 0xD0 && next <= 0xD7) {
      if (!restarts_allowed) passed.wrong = "a restart marker where there are none";
      if ((passed.restarts++ & 7U) != next - 0xD0U) passed.wrong = "restart markers are out of order";
      if (passed.wrong != nullptr) {
        passed.end = offset + i;
        return i;
      }
      i += 2;
    } else {
      passed.end = offset + i;
      return i;
    }
    if (i >= view.size()) return view.size();
  }
}

Passed pass_scan(Window& in, Range range, bool restarts_allowed, Budget& budget) {
  Passed passed;
  std::uint64_t offset = range.offset;
  while (offset < range.end() && budget.spend(1024)) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kView, range.end() - offset));
    const base::ByteSpan view = in.at(offset, wanted);
    if (view.size() < 2) break;
    passed.runs = passed.runs || has_run(view);
    const std::size_t done = pass_view(view, offset, restarts_allowed, passed);
    budget.spend(done);
    if (passed.end != 0) return passed;
    offset += done;
  }
  passed.end = std::min(offset, range.end());
  passed.wrong = "the file ends early, within the picture";
  return passed;
}

class Reader {
 public:
  Reader(Window& in, Range range, bool to_the_end, Budget& budget)
      : in_(&in), range_(range), at_(range.offset + 2), to_the_end_(to_the_end), budget_(&budget) {}
  Report read();

 private:
  Report wrong(std::string what) { return broken(at_, std::move(what)); }
  bool segment(std::uint8_t marker);
  bool frame(std::uint8_t process, base::ByteSpan body);
  void lay_out();
  bool huffman(base::ByteSpan body);
  bool quantization(base::ByteSpan body);
  bool scan(base::ByteSpan body);
  bool scan_header(base::ByteSpan body, Scan& scan);
  bool picture(Scan scan);
  bool sane(const Scan& scan) const;
  bool application(std::uint8_t marker, Range body);
  Report at_end();
  bool fail(const char* what) {
    wrong_ = what;
    return false;
  }

  Window* in_;
  Range range_;
  std::uint64_t at_;
  bool to_the_end_;
  Budget* budget_;
  Frame frame_;
  Tables tables_;
  std::uint32_t restart_every_ = 0;
  bool scanned_ = false;
  bool follows_ = true;  // blocks can be followed (not arithmetic, not lossless)
  const char* wrong_ = nullptr;
  std::vector<Stretch> stretches_;
  Range last_scan_;
  Scan last_;
};

Report Reader::read() {
  while (budget_->spend(16)) {
    if (at_ + 2 > range_.end())
      return scanned_ ? wrong("the file ends early, without an end marker")
                      : wrong("the file ends early, before its picture");
    const base::ByteSpan head = in_->at(at_, 2);
    if (head.size() < 2) return wrong("the file ends early");
    if (head[0] != 0xFF) return wrong("there is no marker where one has to be");
    const std::uint8_t marker = head[1];
    if (marker == 0xFF) {
      ++at_;  // a fill byte
      continue;
    }
    if (marker == 0xD9) return at_end();
    if (marker == 0x01 || marker == 0xD8) {
      if (scanned_) return wrong("a marker within the picture that does not belong there");
      at_ += 2;
      continue;
    }
    if (!segment(marker)) {
      if (budget_->spent_out()) return over_budget();
      return wrong(wrong_ == nullptr ? "a marker segment that makes no sense" : wrong_);
    }
  }
  return over_budget();
}

bool Reader::segment(std::uint8_t marker) {
  if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD7)) return fail("a marker that is none");
  const std::uint64_t length = in_->big16(at_ + 2).value_or(0);
  if (length < 2) return fail("a marker segment with an impossible length");
  if (length > range_.end() - at_ - 2) return fail("the file ends early, within a marker segment");
  const Range body{at_ + 4, length - 2};
  const base::ByteSpan bytes = in_->at(body.offset, static_cast<std::size_t>(body.size));
  if (bytes.size() < body.size || !budget_->spend(body.size)) return fail("the file ends early");
  const bool is_frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
  bool good = true;
  if (is_frame) {
    good = frame(marker & 15U, bytes);
  } else if (marker == 0xC4) {
    good = huffman(bytes);
  } else if (marker == 0xDB) {
    good = quantization(bytes);
  } else if (marker == 0xDD) {
    good = bytes.size() >= 2 || fail("a restart interval of a wrong length");
    if (good) restart_every_ = big<std::uint16_t>(bytes);
  } else if (marker == 0xDA) {
    return scan(bytes);
  } else if ((marker >= 0xE0 && marker <= 0xEF) || marker == 0xFE) {
    good = application(marker, body);
  } else if (marker != 0xCC && marker != 0xDC && marker < 0xDE) {
    good = fail("a marker that is none");
  }
  at_ += 2 + length;
  return good;
}

// Exif, colour profiles and makers' notes are not looked into: of a block within such a segment there is no proof.
bool Reader::application(std::uint8_t marker, Range body) {
  static constexpr std::string_view kXmp = "http://ns.adobe.com/xap/1.0/";
  const base::ByteSpan bytes = in_->at(body.offset, static_cast<std::size_t>(body.size));
  const std::string_view text = base::as_text(bytes);
  if (marker == 0xE1 && text.starts_with(kXmp) && text.size() > kXmp.size() + 1) {
    const std::string_view xml = text.substr(kXmp.size() + 1);
    const auto odd = std::ranges::count_if(xml, [](char c) { return c > 0 && c < 9; });
    if (odd > 8) return fail("the XMP description is not text");
  } else if (body.size >= 4096) {
    add_stretch(stretches_, {body, Density::kDense});
  }
  return true;
}

bool Reader::frame(std::uint8_t process, base::ByteSpan body) {
  if (body.size() < 6 || body.size() < 6U + 3U * body[5]) return fail("a frame header of a wrong length");
  if (!frame_.components.empty()) {
    follows_ = false;  // hierarchical
    return true;
  }
  frame_.process = process;
  frame_.precision = body[0];
  frame_.height = big<std::uint16_t>(body, 1);
  frame_.width = big<std::uint16_t>(body, 3);
  if (frame_.width == 0 || body[5] == 0) return fail("a picture without width or components");
  if (frame_.precision < 2 || frame_.precision > 16) return fail("a picture of an impossible precision");
  for (std::size_t i = 0; i < body[5]; ++i) {
    Component component;
    component.id = body[6 + 3 * i];
    component.across = body[7 + 3 * i] >> 4U;
    component.down = body[7 + 3 * i] & 15U;
    if (component.across - 1U > 3 || component.down - 1U > 3) return fail("impossible sampling factors");
    frame_.components.push_back(component);
  }
  follows_ = process <= 2 && frame_.height > 0 && body[5] <= 4;
  lay_out();
  return true;
}

void Reader::lay_out() {
  unsigned most_across = 1;
  unsigned most_down = 1;
  for (const Component& component : frame_.components) {
    most_across = std::max<unsigned>(most_across, component.across);
    most_down = std::max<unsigned>(most_down, component.down);
  }
  const auto divided = [](std::uint32_t value, std::uint32_t by) { return (value + by - 1) / by; };
  frame_.units_across = divided(frame_.width, 8 * most_across);
  frame_.units_down = divided(frame_.height, 8 * most_down);
  for (Component& component : frame_.components) {
    component.columns = divided(divided(frame_.width * component.across, most_across), 8);
    component.rows = divided(divided(frame_.height * component.down, most_down), 8);
    component.padded_columns = frame_.units_across * component.across;
    component.padded_rows = frame_.units_down * component.down;
  }
}

bool Reader::huffman(base::ByteSpan body) {
  while (body.size() >= 17) {
    const unsigned slot = body[0] & 15U;
    if ((body[0] >> 4U) > 1 || slot > 3) return fail("a code table with an impossible number");
    std::size_t count = 0;
    for (std::size_t i = 1; i <= 16; ++i) count += body[i];
    if (count > 256 || body.size() < 17 + count) return fail("a code table of a wrong length");
    Huffman& table = body[0] >> 4U == 0 ? tables_.dc[slot] : tables_.ac[slot];
    if (!table.build(body.subspan(1, 16), body.subspan(17, count)) && count > 0) {
      return fail("a code table that is no code");
    }
    body = body.subspan(17 + count);
  }
  return true;
}

bool Reader::quantization(base::ByteSpan body) {
  while (!body.empty()) {
    const std::size_t size = 1 + (body[0] >> 4U == 0 ? 64U : 128U);
    if ((body[0] >> 4U) > 1 || (body[0] & 15U) > 3) return body.size() < 65 || fail("an impossible quantization table");
    if (body.size() < size) return true;
    body = body.subspan(size);
  }
  return true;
}

bool Reader::scan_header(base::ByteSpan body, Scan& scan) {
  if (frame_.components.empty()) return fail("a scan before the frame");
  if (body.empty() || body[0] == 0 || body[0] > 4 || body.size() < 4U + 2U * body[0]) {
    return fail("a scan header of a wrong length");
  }
  for (std::size_t i = 0; i < body[0]; ++i) {
    const auto known = std::ranges::find(frame_.components, body[1 + 2 * i], &Component::id);
    if (known == frame_.components.end()) return fail("a scan of an unknown component");
    const std::uint8_t tables = body[2 + 2 * i];
    if ((tables >> 4U) > 3 || (tables & 15U) > 3) return fail("a scan of an unknown code table");
    scan.parts.push_back({static_cast<std::size_t>(known - frame_.components.begin()),
                          static_cast<std::uint8_t>(tables >> 4U), static_cast<std::uint8_t>(tables & 15U)});
  }
  const base::ByteSpan rest = body.subspan(1 + 2 * std::size_t{body[0]});
  scan.first = rest[0];
  scan.last = rest[1];
  scan.high = rest[2] >> 4U;
  scan.low = rest[2] & 15U;
  scan.restart_every = restart_every_;
  return sane(scan) || fail("a scan of impossible coefficients");
}

bool Reader::sane(const Scan& scan) const {
  if (frame_.process != 2) return true;  // the fields say nothing there, and some writers leave them zero
  if (scan.last > 63 || scan.first > scan.last) return false;
  return scan.first == 0 ? scan.last == 0 : scan.parts.size() == 1;
}

bool Reader::scan(base::ByteSpan body) {
  Scan scan;
  if (!scan_header(body, scan)) return false;
  at_ += 4 + body.size();
  return picture(std::move(scan));
}

bool Reader::picture(Scan scan) {
  const Range rest{at_, range_.end() - at_};
  const Passed passed = pass_scan(*in_, rest, scan.restart_every != 0, *budget_);
  if (budget_->spent_out()) return false;
  if (passed.wrong != nullptr) {
    at_ = passed.end;
    return fail(passed.wrong);
  }
  const Range codes{at_, passed.end - at_};
  const std::uint64_t units = follows_ ? scan.units(frame_) : 0;
  const bool short_of_restarts = follows_ && scan.restart_every != 0 &&
                                 passed.restarts != (units + scan.restart_every - 1) / scan.restart_every - 1;
  const bool refines = frame_.process == 2 && scan.first > 0;
  if (refines && follows_) {
    Component& component = frame_.components[scan.parts[0].component];
    const std::uint64_t blocks = std::uint64_t{component.padded_columns} * component.padded_rows;
    // Refinement needs every earlier scan to have been followed.
    if (blocks > kFew) follows_ = follows_ && scan.high == 0 && passed.runs;
    if (follows_ && component.coefficients.empty() && blocks <= kFew) component.coefficients.resize(blocks);
  }
  const bool odd = passed.runs || short_of_restarts;
  const bool remembered = refines && follows_ && !frame_.components[scan.parts[0].component].coefficients.empty();
  if (follows_ && (codes.size <= kShort || odd || remembered)) {
    if (const auto what = follow(*in_, codes, frame_, scan, tables_, *budget_)) return fail(what->data());
  } else {
    last_ = scan;
    last_scan_ = codes;
  }
  scanned_ = true;
  at_ = passed.end;
  return true;
}

// Cameras and editors put further pictures, films and notes behind the end; random bytes may have an end marker too.
Report Reader::at_end() {
  if (!scanned_) return wrong("an end marker before any picture");
  const std::uint64_t end = at_ + 2;
  if (end < range_.end()) {
    if (follows_ && frame_.process < 2 && last_scan_.size > 0) {
      if (const auto what = follow(*in_, last_scan_, frame_, last_, tables_, *budget_)) {
        return wrong(std::string(*what));
      }
    }
    if (to_the_end_) add_stretch(stretches_, {{end, range_.end() - end}, Density::kDense});
  }
  if (budget_->spent_out()) return over_budget();
  return whole(std::move(stretches_));
}

}  // namespace

bool recognise(Window& in) {
  const base::ByteSpan head = in.at(0, 4);
  return head.size() == 4 && head[0] == 0xFF && head[1] == 0xD8 && head[2] == 0xFF &&
         (head[3] >= 0xC0 || head[3] == 0xFF) && (head[3] != 0xD9);
}

Report check(Window& in, Budget& budget) { return Reader(in, {0, in.size()}, true, budget).read(); }

Report check_within(Window& in, Range range, Budget& budget) { return Reader(in, range, false, budget).read(); }

}  // namespace kura::detect::jpeg
