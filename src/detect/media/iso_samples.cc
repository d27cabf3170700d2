#include "detect/media/iso_samples.h"

#include <algorithm>
#include <array>

namespace kura::detect::iso {
namespace {

struct Format {
  std::string_view name;
  Codec codec;
};

constexpr std::array kFormats = {
    Format{"avc1", Codec::kAvc},       Format{"avc2", Codec::kAvc},       Format{"avc3", Codec::kAvc},
    Format{"avc4", Codec::kAvc},       Format{"dvav", Codec::kAvc},       Format{"dva1", Codec::kAvc},
    Format{"hvc1", Codec::kHevc},      Format{"hev1", Codec::kHevc},      Format{"dvh1", Codec::kHevc},
    Format{"dvhe", Codec::kHevc},      Format{"mp4a", Codec::kAac},       Format{".mp3", Codec::kMp3},
    Format{"alac", Codec::kAlac},      Format{"ac-3", Codec::kAc3},       Format{"ec-3", Codec::kAc3},
    Format{"av01", Codec::kAv1},       Format{"mp4v", Codec::kMpeg4},     Format{"jpeg", Codec::kJpeg},
    Format{"sowt", Codec::kPcm},       Format{"twos", Codec::kPcm},       Format{"raw ", Codec::kPcm},
    Format{"in24", Codec::kPcm},       Format{"in32", Codec::kPcm},       Format{"fl32", Codec::kPcm},
    Format{"lpcm", Codec::kPcm},       Format{"ipcm", Codec::kPcm},       Format{"encv", Codec::kEncrypted},
    Format{"enca", Codec::kEncrypted}, Format{"drmi", Codec::kEncrypted}, Format{"drms", Codec::kEncrypted},
};

// Open bitstream units with their sizes (AV1, section 5.3); only the last may go without.
const char* obus(Window& in, Range sample, Budget& budget) {
  std::uint64_t at = sample.offset;
  while (at < sample.end()) {
    if (!budget.spend(16)) return nullptr;
    const base::ByteSpan head = in.at(at, 10);
    if (head.size() < 2) return "ends early";
    if ((head[0] & 0x81U) != 0) return "has a unit that is none";
    if ((head[0] & 2U) == 0) return nullptr;
    std::size_t i = (head[0] & 4U) != 0 ? 2 : 1;
    std::uint64_t size = 0;
    for (unsigned shift = 0; i < head.size(); shift += 7) {
      size |= std::uint64_t{head[i] & 0x7FU} << shift;
      if (head[i++] < 0x80) break;
    }
    at += i;
    if (at > sample.end() || size > sample.end() - at) return "has units that do not add up to it";
    at += size;
  }
  return nullptr;
}

}  // namespace

Codec codec_of(std::string_view format) {
  const auto* const known = std::ranges::find(kFormats, format, &Format::name);
  return known == kFormats.end() ? Codec::kUnknown : known->codec;
}

const char* SampleJudge::units(Window& in, Range sample, Budget& budget) const {
  std::uint64_t at = sample.offset;
  const bool hevc = codec_ == Codec::kHevc;
  while (at < sample.end()) {
    if (!budget.spend(16)) return nullptr;
    if (sample.end() - at < length_bytes_) return "has units that do not add up to it";
    const base::ByteSpan head = in.at(at, length_bytes_ + 2);
    if (head.size() < length_bytes_) return "ends early";
    std::uint64_t length = 0;
    for (unsigned i = 0; i < length_bytes_; ++i) length = length << 8U | head[i];
    if (length > sample.end() - at - length_bytes_) return "has units that do not add up to it";
    if (length == 0 && at == sample.offset && sample.size > 8) return "begins with an empty unit";
    if (length >= 2 && head.size() == length_bytes_ + 2) {
      const std::uint8_t first = head[length_bytes_];
      if ((first & 0x80U) != 0) return "has a unit that is none";
      if (hevc ? (head[length_bytes_ + 1] & 7U) == 0 : (first & 31U) == 0) return "has a unit that is none";
    }
    at += length_bytes_ + length;
  }
  return nullptr;
}

// The first element is of one kind and number throughout a track, but for fill, data and configuration elements.
const char* SampleJudge::aac(base::ByteSpan head) {
  const unsigned element = head[0] >> 5U;
  if (element >= 4) return element == 7 && head.size() > 1 ? "begins with its end" : nullptr;
  if (element_ < 0) element_ = head[0] >> 1U;
  return head[0] >> 1U == element_ ? nullptr : "begins with another element than those before";
}

const char* SampleJudge::judge(Window& in, Range sample, Budget& budget) {
  if (sample.size == 0 || !budget.spend(8)) return nullptr;
  if (codec_ == Codec::kAvc || codec_ == Codec::kHevc) return units(in, sample, budget);
  if (codec_ == Codec::kAv1) return obus(in, sample, budget);
  if (!proves() || sample.size < 4) return nullptr;
  const base::ByteSpan head = in.at(sample.offset, 4);
  if (head.size() < 4) return "ends early";
  switch (codec_) {
    case Codec::kAac:
      return aac(head);
    case Codec::kAlac:
      if ((head[0] & 1U) != 0 || head[1] != 0 || (head[2] & 0xE0U) != 0) return "is no frame of Apple Lossless";
      return aac(head);
    case Codec::kMp3:
      return head[0] == 0xFF && head[1] >= 0xE0 ? nullptr : "is no MP3 frame";
    case Codec::kAc3:
      return head[0] == 0x0B && head[1] == 0x77 ? nullptr : "is no AC-3 frame";
    case Codec::kMpeg4:
      return head[0] == 0 && head[1] == 0 && (head[2] == 1 || head[2] >= 0x80) ? nullptr : "has no start code";
    case Codec::kJpeg:
      return head[0] == 0xFF && head[1] == 0xD8 ? nullptr : "is no JPEG picture";
    default:
      return nullptr;
  }
}

}  // namespace kura::detect::iso
