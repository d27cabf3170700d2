// Frames chain by the lengths that their headers give, each of the same version, layer and rate. Between frames there
// may be tags and a few zeros; the last frame is often cut.
#include "detect/media/mpeg_audio.h"

#include <algorithm>
#include <array>

namespace kura::detect::mpeg_audio {
namespace {

constexpr std::size_t kMostJunk = 4096;

// kbit/s by layer (of version 1) and by the same for the lower rates of versions 2 and 2.5.
constexpr std::array<std::array<std::uint16_t, 15>, 5> kRates = {{
    {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}};
constexpr std::array<std::uint32_t, 3> kSamples = {44100, 48000, 32000};

struct Frame {
  std::uint32_t same = 0;  // the bits that all frames share
  std::size_t length = 0;  // 0 for none
};

Frame frame_of(std::uint32_t head) {
  const std::uint32_t version = head >> 19U & 3U;  // 0: 2.5, 2: 2, 3: 1
  const std::uint32_t layer = 4 - (head >> 17U & 3U);
  const std::uint32_t rate = head >> 12U & 15U;
  const std::uint32_t samples = head >> 10U & 3U;
  if (head >> 21U != 0x7FF || version == 1 || layer == 4 || rate == 0 || rate == 15 || samples == 3) return {};
  const std::size_t row = version == 3 ? layer - 1 : layer == 1 ? 3 : 4;
  const std::uint32_t bits = kRates[row][rate] * 1000U;
  const std::uint32_t hertz = kSamples[samples] >> (version == 3 ? 0U : version == 2 ? 1U : 2U);
  const std::uint32_t padding = head >> 9U & 1U;
  Frame frame;
  frame.same = head & 0xFFFE0C00;
  if (layer == 1) {
    frame.length = (12 * bits / hertz + padding) * 4;
  } else {
    frame.length = (layer == 3 && version != 3 ? 72 : 144) * bits / hertz + padding;
  }
  return frame;
}

Frame adts_of(base::ByteSpan head) {
  if (head.size() < 7 || head[0] != 0xFF || (head[1] & 0xF6U) != 0xF0 || (head[2] >> 2U & 15U) > 12) return {};
  const std::size_t length = (std::size_t{head[3]} & 3U) << 11U | std::size_t{head[4]} << 3U | head[5] >> 5U;
  if (length < 8) return {};
  return {static_cast<std::uint32_t>(head[1] & 0xF8U) << 16U | static_cast<std::uint32_t>(head[2] & 0xFDU) << 8U |
              (head[3] & 0xC0U),
          length};
}

// The size of an ID3v2, APEv2, Lyrics3 or ID3v1 tag at the place, 0 for none.
std::uint64_t tag(Window& in, std::uint64_t at) {
  const base::ByteSpan head = in.at(at, 32);
  const std::string_view text = base::as_text(head);
  if (text.starts_with("ID3") && head.size() >= 10) {
    if (std::ranges::any_of(head.subspan(6, 4), [](std::uint8_t c) { return c >= 0x80; })) return 0;
    std::uint64_t size = 0;
    for (std::size_t i = 6; i < 10; ++i) size = size << 7U | head[i];
    return size + ((head[5] & 16U) != 0 ? 20 : 10);
  }
  if (text.starts_with("TAG+")) return 227;
  if (text.starts_with("TAG")) return 128;
  if (text.starts_with("APETAGEX") && head.size() == 32) {
    const std::uint64_t size = little<std::uint32_t>(head, 12);
    return (little<std::uint32_t>(head, 20) & 1U << 29U) != 0 ? size + 32 : 32;
  }
  if (text.starts_with("LYRICSBEGIN")) return in.size() - at;
  return 0;
}

// Where the frames begin after tags and zeros.
std::uint64_t begin(Window& in) {
  std::uint64_t at = 0;
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t size = tag(in, at);
    if (size == 0 || size >= in.size() - at) break;
    at += size;
  }
  const base::ByteSpan rest = in.at(at, kMostJunk);
  const auto first = std::ranges::find_if(rest, [](std::uint8_t c) { return c != 0; });
  return first == rest.end() ? at : at + static_cast<std::uint64_t>(first - rest.begin());
}

Frame frame_at(Window& in, std::uint64_t at, bool adts) {
  if (adts) return adts_of(in.at(at, 7));
  return frame_of(in.big32(at).value_or(0));
}

// How many bytes the Xing or Info frame says that there are from itself on; 0 when it does not say.
std::uint64_t promised(Window& in, std::uint64_t at) {
  const base::ByteSpan head = in.at(at, 64);
  const std::string_view text = base::as_text(head);
  std::size_t where = text.find("Xing");
  if (where == std::string_view::npos) where = text.find("Info");
  if (where == std::string_view::npos || where + 16 > text.size() || (head[where + 7] & 2U) == 0) return 0;
  const std::size_t field = where + 8 + ((head[where + 7] & 1U) != 0 ? 4 : 0);
  return big<std::uint32_t>(head, field);
}

// Zeros between frames or behind the last, up to a few KiB: how many there are.
std::uint64_t zeros(Window& in, std::uint64_t at) {
  const base::ByteSpan rest = in.at(at, kMostJunk);
  return static_cast<std::uint64_t>(std::ranges::find_if(rest, [](std::uint8_t c) { return c != 0; }) - rest.begin());
}

Report chain(Window& in, Budget& budget, bool adts) {
  std::uint64_t at = begin(in);
  const std::uint64_t start = at;
  const Frame first = frame_at(in, at, adts);
  if (first.length == 0) return broken(at, "there is no frame where the first has to be");
  const std::uint64_t promise = adts ? 0 : promised(in, at);
  std::vector<Stretch> stretches;
  if (at > 8192) add_stretch(stretches, {{1024, at - 1024}, Density::kDense});
  while (at < in.size() && budget.spend(32)) {
    const Frame frame = frame_at(in, at, adts);
    if (frame.length != 0 && frame.same == first.same) {
      at += frame.length;
      continue;
    }
    if (in.size() - at < 4) break;
    const std::uint64_t size = tag(in, at);
    const std::uint64_t skip = size != 0 ? size : zeros(in, at);
    if (skip == 0 || skip >= kMostJunk * (size == 0 ? 1 : 4096)) {
      return broken(at, "there is no frame where one has to be");
    }
    at += skip;
  }
  if (budget.spent_out()) return over_budget();
  // Editors that cut a file often leave the promise; a transfer that broke off leaves much less.
  if (promise > in.size() - start && (promise - (in.size() - start)) > promise / 64 + 8192) {
    return broken(in.size(), "the file ends early: its first frame promises more");
  }
  return whole(std::move(stretches));
}

bool two_frames(Window& in, bool adts) {
  const std::uint64_t at = begin(in);
  const Frame first = frame_at(in, at, adts);
  if (first.length == 0) return false;
  const Frame second = frame_at(in, at + first.length, adts);
  if (second.length == 0 || second.same != first.same) return false;
  const Frame third = frame_at(in, at + first.length + second.length, adts);
  return (third.length != 0 && third.same == first.same) || at + first.length + second.length + 4 >= in.size();
}

}  // namespace

// An ID3 tag is enough before MP3 frames that may be damaged; but other sounds may have one too, and it may be all.
bool recognise(Window& in) {
  if (in.has(0, "ID3") && tag(in, 0) > 10) {
    if (tag(in, 0) == in.size()) return false;
    static constexpr std::array<std::string_view, 4> kOthers = {"fLaC", "MAC ", "TTA1", "TTA2"};
    const std::uint64_t at = begin(in);
    return std::ranges::none_of(kOthers, [&](std::string_view mark) { return in.has(at, mark); }) &&
           !two_frames(in, true);
  }
  return two_frames(in, false);
}

Report check(Window& in, Budget& budget) { return chain(in, budget, false); }

bool recognise_adts(Window& in) { return two_frames(in, true); }

Report check_adts(Window& in, Budget& budget) { return chain(in, budget, true); }

}  // namespace kura::detect::mpeg_audio
