#include "detect/media/iso_track.h"

#include <algorithm>

namespace kura::detect::iso {
namespace {

class Reader {
 public:
  Reader(Window& in, Track& track, Budget& budget) : in_(&in), track_(&track), budget_(&budget) {}
  const char* boxes(Range range, int depth);

 private:
  const char* box(const Box& box, int depth);
  const char* description(Range body);
  const char* codec_boxes(Range range);
  const char* sizes(Range body);
  const char* chunks(Range body, bool wide);
  const char* runs(Range body);
  const char* counted(Range body, std::uint64_t width, bool samples);
  void references(Range body);
  // The number of entries of `width` bytes after `skip` bytes of the body; more than fit is wrong.
  bool count_fits(Range body, std::uint64_t skip, std::uint64_t width, std::uint32_t& count);

  Window* in_;
  Track* track_;
  Budget* budget_;
};

bool Reader::count_fits(Range body, std::uint64_t skip, std::uint64_t width, std::uint32_t& count) {
  if (body.size < skip) return false;
  count = in_->big32(body.offset + skip - 4).value_or(0);
  return count * width <= body.size - skip && budget_->spend(count * width);
}

const char* Reader::boxes(Range range, int depth) {
  const char* wrong = nullptr;
  const bool filled = each_box(*in_, range, *budget_, [&](const Box& each) {
    wrong = box(each, depth);
    return wrong == nullptr;
  });
  if (wrong != nullptr) return wrong;
  return filled || budget_->spent_out() ? nullptr : "the boxes of a track do not fill it";
}

const char* Reader::box(const Box& box, int depth) {
  const bool container = box.type == "mdia" || box.type == "minf" || box.type == "stbl" || box.type == "dinf";
  if (container) return depth < 6 ? boxes(box.body, depth + 1) : "boxes within boxes without end";
  if (box.type == "tkhd") {
    const bool wide = in_->byte(box.body.offset).value_or(0) == 1;
    track_->id = in_->big32(box.body.offset + (wide ? 20 : 12)).value_or(0);
  }
  if (box.type == "stsd") return description(box.body);
  if (box.type == "stsz") return sizes(box.body);
  if (box.type == "stco") return chunks(box.body, false);
  if (box.type == "co64") return chunks(box.body, true);
  if (box.type == "stsc") return runs(box.body);
  if (box.type == "stts") return counted(box.body, 8, true);
  if (box.type == "ctts") return counted(box.body, 8, false);
  if (box.type == "stss") return counted(box.body, 4, false);
  if (box.type == "dref") references(box.body);
  return nullptr;
}

void Reader::references(Range body) {
  const std::uint64_t entry = body.offset + 8;
  if (body.size >= 20) track_->here = (in_->big32(entry + 8).value_or(1) & 1U) != 0;
}

const char* Reader::description(Range body) {
  if (body.size < 16) return nullptr;
  const std::uint32_t count = in_->big32(body.offset + 4).value_or(0);
  const auto entry = box_at(*in_, body.offset + 8, body.end());
  if (!entry) return count == 0 ? nullptr : "the description of a track's samples is no box";
  Codec codec = codec_of(entry->type);
  if (count != 1) codec = Codec::kUnknown;  // changes within the track
  track_->judge = SampleJudge(codec, 4);
  if (codec == Codec::kAvc || codec == Codec::kHevc) {
    return entry->body.size > 78 ? codec_boxes({entry->body.offset + 78, entry->body.size - 78}) : nullptr;
  }
  if (codec != Codec::kAac) return nullptr;
  // The object type is looked for in the esds box, wherever QuickTime's versions put it.
  const base::ByteSpan bytes =
      in_->at(entry->body.offset, static_cast<std::size_t>(std::min<std::uint64_t>(entry->body.size, 512)));
  const std::string_view text = base::as_text(bytes);
  const std::size_t esds = text.find("esds");
  codec = Codec::kUnknown;
  for (std::size_t i = esds == std::string_view::npos ? text.size() : esds + 8; i + 14 < text.size(); ++i) {
    if (bytes[i] != 4) continue;  // DecoderConfigDescriptor
    while (i + 1 < text.size() && bytes[i + 1] == 0x80) ++i;
    const std::uint8_t object = i + 2 < text.size() ? bytes[i + 2] : 0;
    if (object == 0x40 || object == 0x67) codec = Codec::kAac;
    if (object == 0x69 || object == 0x6B) codec = Codec::kMp3;
    break;
  }
  track_->judge = SampleJudge(codec, 4);
  return nullptr;
}

const char* Reader::codec_boxes(Range range) {
  each_box(*in_, range, *budget_, [&](const Box& box) {
    const std::uint64_t where = box.type == "avcC" ? 4 : 21;
    if (box.type != "avcC" && box.type != "hvcC") return true;
    const unsigned length = (in_->byte(box.body.offset + where).value_or(3) & 3U) + 1;
    track_->judge = SampleJudge(track_->judge.codec(), length);
    return false;
  });
  return nullptr;
}

const char* Reader::sizes(Range body) {
  std::uint32_t count = 0;
  track_->same_size = in_->big32(body.offset + 4).value_or(0);
  if (!count_fits(body, 12, track_->same_size != 0 ? 0 : 4, count)) return "a track's list of sizes is too short";
  track_->samples = count;
  if (track_->same_size != 0) return nullptr;
  const auto kept = std::min<std::size_t>(count, kMostEntries);
  track_->cut = track_->cut || kept < count;
  track_->sizes.reserve(kept);
  for (std::size_t i = 0; i < kept; ++i) track_->sizes.push_back(in_->big32(body.offset + 12 + 4 * i).value_or(0));
  return nullptr;
}

const char* Reader::chunks(Range body, bool wide) {
  std::uint32_t count = 0;
  if (!count_fits(body, 8, wide ? 8 : 4, count)) return "a track's list of chunks is too short";
  const auto kept = std::min<std::size_t>(count, kMostEntries / 2);
  track_->cut = track_->cut || kept < count;
  track_->chunks.reserve(kept);
  for (std::size_t i = 0; i < kept; ++i) {
    track_->chunks.push_back(wide ? in_->big64(body.offset + 8 + 8 * i).value_or(0)
                                  : in_->big32(body.offset + 8 + 4 * i).value_or(0));
  }
  return nullptr;
}

const char* Reader::runs(Range body) {
  std::uint32_t count = 0;
  if (!count_fits(body, 8, 12, count)) return "a track's list of samples in chunks is too short";
  const auto kept = std::min<std::size_t>(count, kMostEntries / 2);
  track_->cut = track_->cut || kept < count;
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < kept; ++i) {
    const std::uint64_t at = body.offset + 8 + 12 * i;
    const Track::Run run{in_->big32(at).value_or(0), in_->big32(at + 4).value_or(0)};
    if (run.first_chunk <= before) return "a track's list of samples in chunks is out of order";
    before = run.first_chunk;
    track_->runs.push_back(run);
  }
  return nullptr;
}

const char* Reader::counted(Range body, std::uint64_t width, bool samples) {
  std::uint32_t count = 0;
  if (!count_fits(body, 8, width, count))
    return budget_->spent_out() ? nullptr : "a track's list of times is too short";
  if (width != 8) return nullptr;
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) sum += in_->big32(body.offset + 8 + 8 * i).value_or(0);
  // Once the sizes are known, the times have to be as many; a few more or less are written.
  const std::uint64_t known = track_->samples;
  if (samples || known == 0) return sum > 1ULL << 34 ? "a track's list of times makes no sense" : nullptr;
  return sum > 2 * known + 1024 ? "a track's list of times makes no sense" : nullptr;
}

}  // namespace

const char* read_track(Window& in, const Box& trak, Track& track, Budget& budget) {
  return Reader(in, track, budget).boxes(trak.body, 0);
}

const char* judge_samples(Window& in, Track& track, Budget& budget, std::uint64_t& at) {
  if (!track.here || track.chunks.empty() || track.runs.empty()) return nullptr;
  if (track.same_size == 0 && track.sizes.empty()) return nullptr;
  std::uint64_t sample = 0;
  std::size_t run = 0;
  const bool one_by_one = track.judge.proves() && track.same_size == 0;
  for (std::size_t i = 0; i < track.chunks.size(); ++i) {
    if (!budget.spend(8)) return nullptr;
    while (run + 1 < track.runs.size() && track.runs[run + 1].first_chunk <= i + 1) ++run;
    at = track.chunks[i];
    if (at > in.size()) return "a track's chunk lies beyond the end of the file";
    if (!one_by_one) continue;
    for (std::uint32_t k = 0; k < track.runs[run].samples && sample < track.sizes.size(); ++k, ++sample) {
      const std::uint32_t size = track.sizes[static_cast<std::size_t>(sample)];
      if (size > in.size() - at) return "a track's sample lies beyond the end of the file";
      if (const char* wrong = track.judge.judge(in, {at, size}, budget)) return wrong;
      if (budget.spent_out()) return nullptr;
      at += size;
    }
  }
  if (one_by_one && !track.cut && sample < track.sizes.size()) return "a track has fewer samples than sizes";
  return nullptr;
}

}  // namespace kura::detect::iso
