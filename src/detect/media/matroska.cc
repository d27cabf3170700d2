// Elements fill each other exactly, clusters have only known elements, blocks belong to known tracks, and frames are
// looked at as their codec allows. The inside of a frame is not proven.
#include "detect/media/matroska.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>

#include "detect/media/iso_samples.h"

namespace kura::detect::matroska {
namespace {

constexpr std::uint64_t kUnknown = ~0ULL;

constexpr std::uint32_t kEbml = 0x1A45DFA3;
constexpr std::uint32_t kSegment = 0x18538067;
constexpr std::uint32_t kCluster = 0x1F43B675;
constexpr std::uint32_t kTracks = 0x1654AE6B;
constexpr std::uint32_t kTrackEntry = 0xAE;
constexpr std::uint32_t kBlockGroup = 0xA0;
constexpr std::uint32_t kBlock = 0xA1;
constexpr std::uint32_t kSimpleBlock = 0xA3;

// Of a segment: SeekHead, Info, Tracks, Cluster, Cues, Attachments, Chapters, Tags, Void, CRC-32.
constexpr std::array<std::uint32_t, 10> kOfSegment = {0x114D9B74, 0x1549A966, kTracks,    kCluster, 0x1C53BB6B,
                                                      0x1941A469, 0x1043A770, 0x1254C367, 0xEC,     0xBF};
// Of a cluster: Timestamp, SilentTracks, Position, PrevSize, SimpleBlock, BlockGroup, EncryptedBlock, Void, CRC-32.
constexpr std::array<std::uint32_t, 9> kOfCluster = {0xE7,        0x5854, 0xA7, 0xAB, kSimpleBlock,
                                                     kBlockGroup, 0xAF,   0xEC, 0xBF};

struct Element {
  std::uint32_t id = 0;
  std::uint64_t body = 0;
  std::uint64_t size = 0;  // or kUnknown
};

class Reader {
 public:
  Reader(Window& in, Budget& budget) : in_(&in), budget_(&budget) {}
  Report read();

 private:
  bool element(std::uint64_t at, Element& element);
  std::uint64_t number(std::uint64_t& at, bool& good);
  const char* segment(std::uint64_t& at, std::uint64_t end);
  const char* cluster(std::uint64_t& at, std::uint64_t end, bool open);
  const char* group(Range range);
  const char* block(Range range);
  void tracks(Range range);
  void track(Range range);

  Window* in_;
  Budget* budget_;
  std::map<std::uint64_t, iso::SampleJudge> tracks_;
  std::vector<Stretch> stretches_;
  std::uint64_t at_ = 0;
};

// A size or a track's number: as many bytes as there are zeros before its first one bit.
std::uint64_t Reader::number(std::uint64_t& at, bool& good) {
  const base::ByteSpan bytes = in_->at(at, 8);
  const auto length = bytes.empty() ? 9U : static_cast<unsigned>(std::countl_zero(bytes[0])) + 1;
  good = bytes.size() >= length;
  if (!good) return 0;
  std::uint64_t value = length == 8 ? 0 : bytes[0] & (0xFFU >> length);
  bool ones = value == (0xFFU >> length);
  for (unsigned i = 1; i < length; ++i) {
    value = value << 8U | bytes[i];
    ones = ones && bytes[i] == 0xFF;
  }
  at += length;
  return ones ? kUnknown : value;
}

bool Reader::element(std::uint64_t at, Element& element) {
  const base::ByteSpan bytes = in_->at(at, 4);
  const auto length = bytes.empty() ? 9U : static_cast<unsigned>(std::countl_zero(bytes[0])) + 1;
  if (length > 4 || bytes.size() < length || !budget_->spend(24)) return false;
  element.id = 0;
  for (unsigned i = 0; i < length; ++i) element.id = element.id << 8U | bytes[i];
  at += length;
  bool good = false;
  element.size = number(at, good);
  element.body = at;
  return good;
}

void Reader::track(Range range) {
  std::uint64_t id = 0;
  std::string codec;
  bool packed = false;
  for (std::uint64_t at = range.offset; at < range.end();) {
    Element each;
    if (!element(at, each) || each.size > range.end() - std::min(each.body, range.end())) return;
    if (each.id == 0xD7 && each.size <= 8) {
      for (std::uint64_t i = 0; i < each.size; ++i) id = id << 8U | in_->byte(each.body + i).value_or(0);
    }
    if (each.id == 0x86 && each.size < 64)
      codec = std::string(base::as_text(in_->at(each.body, static_cast<std::size_t>(each.size))));
    packed = packed || each.id == 0x6D80;
    at = each.body + each.size;
  }
  iso::Codec known = iso::Codec::kUnknown;
  if (codec == "V_MPEG4/ISO/AVC") known = iso::Codec::kAvc;
  if (codec == "V_MPEGH/ISO/HEVC") known = iso::Codec::kHevc;
  if (codec == "A_AAC") known = iso::Codec::kAac;
  if (codec == "A_MPEG/L3") known = iso::Codec::kMp3;
  if (codec == "A_AC3") known = iso::Codec::kAc3;
  if (codec == "V_AV1") known = iso::Codec::kAv1;
  if (tracks_.size() < 256) tracks_.emplace(id, iso::SampleJudge(packed ? iso::Codec::kUnknown : known, 4));
}

void Reader::tracks(Range range) {
  for (std::uint64_t at = range.offset; at < range.end();) {
    Element each;
    if (!element(at, each) || each.size > range.end() - std::min(each.body, range.end())) return;
    if (each.id == kTrackEntry) track({each.body, each.size});
    at = each.body + each.size;
  }
}

const char* Reader::block(Range range) {
  std::uint64_t at = range.offset;
  bool good = false;
  const std::uint64_t id = number(at, good);
  if (!good || range.size < 4 || at + 3 > range.end()) return "a block that is too short";
  const auto known = tracks_.find(id);
  if (!tracks_.empty() && known == tracks_.end()) return "a block of a track that does not exist";
  const std::uint8_t flags = in_->byte(at + 2).value_or(0);
  at += 3;
  if ((flags & 6U) != 0 || known == tracks_.end()) return nullptr;  // several frames in one
  return known->second.judge(*in_, {at, range.end() - at}, *budget_);
}

const char* Reader::group(Range range) {
  for (std::uint64_t at = range.offset; at < range.end();) {
    Element each;
    at_ = at;
    if (!element(at, each) || each.body > range.end() || each.size > range.end() - each.body)
      return "a group of blocks that is not filled";
    if (each.id == kBlock) {
      if (const char* wrong = block({each.body, each.size})) return wrong;
    }
    at = each.body + each.size;
  }
  return nullptr;
}

// One of unknown size ends where an element follows that is not its own.
const char* Reader::cluster(std::uint64_t& at, std::uint64_t end, bool open) {
  while (at < end) {
    Element each;
    at_ = at;
    if (!element(at, each)) return "there is no element where one has to be";
    if (std::ranges::find(kOfCluster, each.id) == kOfCluster.end()) {
      return open ? nullptr : "a cluster with an element that does not belong there";
    }
    if (each.body > end || each.size > end - each.body)
      return open ? "the file ends early, within a cluster" : "an element goes beyond its cluster";
    const Range body{each.body, each.size};
    const char* wrong = each.id == kSimpleBlock ? block(body) : each.id == kBlockGroup ? group(body) : nullptr;
    if (wrong != nullptr) return wrong;
    at = body.end();
  }
  return nullptr;
}

const char* Reader::segment(std::uint64_t& at, std::uint64_t end) {
  while (at < end) {
    Element each;
    at_ = at;
    if (!element(at, each)) return "there is no element where one has to be";
    if (std::ranges::find(kOfSegment, each.id) == kOfSegment.end()) {
      return "a segment with an element that does not belong there";
    }
    const bool open = each.size == kUnknown;
    if (each.body > end || (!open && each.size > end - each.body)) return "the file ends early, within the segment";
    const std::uint64_t each_end = open ? end : each.body + each.size;
    at = each.body;
    if (each.id == kTracks) tracks({each.body, each_end - each.body});
    if (each.id == kCluster) {
      if (const char* wrong = cluster(at, each_end, open)) return wrong;
      add_stretch(stretches_, {{each.body, at - each.body}, Density::kDense});
      if (open) continue;
    } else if (each_end - each.body >= 65536) {
      add_stretch(stretches_, {{each.body, each_end - each.body}, Density::kDense});
    }
    at = each_end;
  }
  return nullptr;
}

Report Reader::read() {
  std::uint64_t at = 0;
  bool segments = false;
  while (at < in_->size()) {
    Element each;
    if (!element(at, each)) {
      if (budget_->spent_out()) return over_budget();
      return segments ? broken(at, "there is no element where one has to be")
                      : broken(at, "the file ends early, before its segment");
    }
    const std::uint64_t left = each.body > in_->size() ? 0 : in_->size() - each.body;
    if (each.id != kEbml && each.id != kSegment && each.id != 0xEC && each.id != kCluster)
      return broken(at, "there is no element where one has to be");
    if (each.size != kUnknown && each.size > left) return broken(in_->size(), "the file ends early, within an element");
    const std::uint64_t end = each.size == kUnknown ? in_->size() : each.body + each.size;
    at = each.body;
    if (each.id == kSegment) {
      segments = true;
      const char* wrong = segment(at, end);
      if (budget_->spent_out()) return over_budget();
      if (wrong != nullptr) return broken(at_, wrong);
    }
    at = end;
  }
  return segments ? whole(std::move(stretches_)) : broken(at, "the file ends early, before its segment");
}

}  // namespace

bool recognise(Window& in) { return in.big32(0) == kEbml; }

Report check(Window& in, Budget& budget) { return Reader(in, budget).read(); }

}  // namespace kura::detect::matroska
