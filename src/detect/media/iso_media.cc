// The boxes have to fill the file, the tables of each track name samples within it, and each sample is looked at as its
// codec allows: lengths of NAL units add up exactly, audio frames begin alike. What lies within one NAL unit (a slice
// of arithmetic codes) has no redundancy: of 4 KiB replaced within one there is no proof.
#include "detect/media/iso_media.h"

#include <algorithm>
#include <array>

#include "base/escape.h"
#include "detect/media/iso_items.h"
#include "detect/media/iso_track.h"

namespace kura::detect::iso {
namespace {

constexpr std::size_t kMostTracks = 64;

class Film {
 public:
  Film(Window& in, Budget& budget) : in_(&in), budget_(&budget) {}
  Report read();

 private:
  const char* top(const Box& box);
  const char* movie(Range body);
  const char* fragment(const Box& moof);
  const char* fragment_track(Range body, std::uint64_t start);
  const char* run(Range body, Track& track, std::uint64_t start, std::uint32_t size);
  Report finish(std::uint64_t at);
  Track* track(std::uint32_t id);

  Window* in_;
  Budget* budget_;
  std::vector<Track> tracks_;
  std::vector<Stretch> data_;
  std::uint64_t wrong_at_ = 0;
  std::uint64_t next_run_ = 0;
  bool described_ = false;
};

Track* Film::track(std::uint32_t id) {
  const auto known = std::ranges::find(tracks_, id, &Track::id);
  return known == tracks_.end() ? nullptr : &*known;
}

const char* Film::movie(Range body) {
  const char* wrong = nullptr;
  const bool filled = each_box(*in_, body, *budget_, [&](const Box& box) {
    wrong_at_ = box.whole.offset;
    if (box.type == "trak" && tracks_.size() < kMostTracks) {
      tracks_.emplace_back();
      wrong = read_track(*in_, box, tracks_.back(), *budget_);
    }
    if (box.type == "mvex") {
      each_box(*in_, box.body, *budget_, [&](const Box& each) {
        Track* const known = each.type == "trex" ? track(in_->big32(each.body.offset + 4).value_or(0)) : nullptr;
        if (known != nullptr) known->default_size = in_->big32(each.body.offset + 16).value_or(0);
        return true;
      });
    }
    return wrong == nullptr;
  });
  if (wrong != nullptr || budget_->spent_out()) return wrong;
  return filled ? nullptr : "the boxes of the film's description do not fill it";
}

// A trun box: sizes of samples that lie one after the other.
const char* Film::run(Range body, Track& track, std::uint64_t start, std::uint32_t size) {
  const std::uint32_t flags = in_->big32(body.offset).value_or(0) & 0xFFFFFF;
  const std::uint32_t count = in_->big32(body.offset + 4).value_or(0);
  std::uint64_t at = body.offset + 8;
  std::uint64_t sample = next_run_ != 0 ? next_run_ : start;
  if ((flags & 1U) != 0) {
    sample = start + static_cast<std::uint64_t>(
                         static_cast<std::int64_t>(static_cast<std::int32_t>(in_->big32(at).value_or(0))));
    at += 4;
  }
  if ((flags & 4U) != 0) at += 4;
  const std::uint64_t before = (flags & 0x100U) != 0 ? 4 : 0;
  std::uint64_t width = before;
  for (const std::uint32_t flag : {0x200U, 0x400U, 0x800U}) width += (flags & flag) != 0 ? 4 : 0;
  if (at > body.end() || count * width > body.end() - at) return "a fragment's list of samples is too short";
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!budget_->spend(8)) return nullptr;
    if ((flags & 0x200U) != 0) size = in_->big32(at + i * width + before).value_or(0);
    if (sample > in_->size() || size > in_->size() - sample)
      return "a fragment's sample lies beyond the end of the file";
    wrong_at_ = sample;
    if (const char* wrong = track.judge.judge(*in_, {sample, size}, *budget_)) return wrong;
    sample += size;
  }
  next_run_ = sample;
  return nullptr;
}

const char* Film::fragment_track(Range body, std::uint64_t start) {
  Track unknown;
  Track* known = nullptr;
  std::uint32_t size = 0;
  const char* wrong = nullptr;
  each_box(*in_, body, *budget_, [&](const Box& box) {
    if (box.type == "tfhd") {
      const std::uint32_t flags = in_->big32(box.body.offset).value_or(0) & 0xFFFFFF;
      known = track(in_->big32(box.body.offset + 4).value_or(0));
      size = known != nullptr ? known->default_size : 0;
      std::uint64_t at = box.body.offset + 8;
      if ((flags & 1U) != 0) start = in_->big64(at).value_or(0);
      for (const auto& [flag, width] : {std::pair{1U, 8U}, {2U, 4U}, {8U, 4U}}) at += (flags & flag) != 0 ? width : 0;
      if ((flags & 16U) != 0) size = in_->big32(at).value_or(0);
    }
    if (box.type == "senc" || box.type == "saiz") known = nullptr;  // encrypted
    if (box.type == "trun") wrong = run(box.body, known != nullptr ? *known : unknown, start, size);
    return wrong == nullptr;
  });
  return wrong;
}

const char* Film::fragment(const Box& moof) {
  const char* wrong = nullptr;
  next_run_ = 0;
  const bool filled = each_box(*in_, moof.body, *budget_, [&](const Box& box) {
    if (box.type == "traf") wrong = fragment_track(box.body, moof.whole.offset);
    return wrong == nullptr;
  });
  if (wrong != nullptr || budget_->spent_out()) return wrong;
  return filled ? nullptr : "the boxes of a fragment do not fill it";
}

const char* Film::top(const Box& box) {
  wrong_at_ = box.whole.offset;
  if (box.type == "moov") {
    described_ = true;
    return movie(box.body);
  }
  if (box.type == "moof") {
    described_ = true;
    return fragment(box);
  }
  if (box.type == "meta") {
    described_ = true;
    return judge_items(*in_, box, *budget_, wrong_at_);
  }
  const bool opaque = box.type == "mdat" || box.type == "free" || box.type == "skip" || box.type == "uuid";
  if (opaque || box.body.size >= 65536) add_stretch(data_, {box.body, Density::kDense});
  return nullptr;
}

// Cameras and editors leave some zeros behind; anything else that is no box is damage.
Report Film::finish(std::uint64_t at) {
  const base::ByteSpan rest = in_->at(at, 4096);
  if (std::ranges::any_of(rest, [](std::uint8_t c) { return c != 0; })) {
    const auto head = in_->at(at, 8);
    if (head.size() < 8 && at > 0) return whole(std::move(data_));
    const bool text =
        head.size() == 8 && std::ranges::all_of(head.subspan(4), [](std::uint8_t c) { return c >= ' ' && c <= '~'; });
    if (!text) return broken(at, "there is no box where one has to be");
    const std::string box = base::printable(base::as_text(head.subspan(4)));
    return broken(in_->size(), "the file ends early, within box " + box);
  }
  if (!described_) return broken(0, "the file ends early, before the description of its contents");
  return whole(std::move(data_));
}

Report Film::read() {
  std::uint64_t at = 0;
  while (at < in_->size() && budget_->spend(64)) {
    const auto box = box_at(*in_, at, in_->size());
    if (!box || (box->whole.size == in_->size() - at && box->type[0] == 0)) break;
    if (const char* wrong = top(*box)) return broken(wrong_at_, std::string("a part of the film or picture: ") + wrong);
    at = box->whole.end();
  }
  if (budget_->spent_out()) return over_budget();
  Report report = finish(at);
  if (report.finding != Finding::kWhole) return report;
  bool plain = !tracks_.empty();
  for (Track& each : tracks_) {
    plain = plain && each.judge.codec() == Codec::kPcm;
    std::uint64_t where = 0;
    if (const char* wrong = judge_samples(*in_, each, *budget_, where)) {
      return broken(where, std::string("a sample of the film: ") + wrong);
    }
  }
  if (budget_->spent_out()) return over_budget();
  for (Stretch& stretch : report.stretches) stretch.density = plain ? Density::kPlain : Density::kDense;
  return report;
}

constexpr std::array<std::string_view, 8> kPictures = {"heic", "heix", "heim", "heis", "mif1", "msf1", "avif", "avis"};

}  // namespace

bool recognise_picture(Window& in) {
  if (!in.has(4, "ftyp")) return false;
  const base::ByteSpan brand = in.at(8, 4);
  return std::ranges::find(kPictures, base::as_text(brand)) != kPictures.end();
}

bool recognise(Window& in) {
  const std::uint64_t size = in.big32(0).value_or(0);
  if (in.has(4, "ftyp") || in.has(4, "styp")) return size >= 16 && size < 4096;
  // QuickTime of old begins with its film or its data.
  const bool old =
      in.has(4, "moov") || in.has(4, "mdat") || in.has(4, "wide") || in.has(4, "free") || in.has(4, "skip");
  return old && (size == 1 || size >= 8) && box_at(in, 0, in.size()).has_value();
}

Report check(Window& in, Budget& budget) { return Film(in, budget).read(); }

}  // namespace kura::detect::iso
