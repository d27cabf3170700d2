// Chunks chain by their sizes to the end of the file. Sound that is not compressed is a stretch of samples; frames of
// AVI are looked at as far as their beginnings tell; of WebP only the beginning of a picture's codes is looked at.
#include "detect/media/riff.h"

#include <algorithm>
#include <string>

#include "base/escape.h"

namespace kura::detect::riff {
namespace {

struct Chunk {
  std::string id;
  Range body;
  std::uint64_t next = 0;  // chunks begin at even offsets
};

class Chunks {
 public:
  Chunks(Window& in, Budget& budget, bool big_endian) : in_(&in), budget_(&budget), big_(big_endian) {}

  // Nothing, or what is wrong. `data` of a live recording may have size 0 or -1: it goes to the end.
  const char* at(std::uint64_t offset, std::uint64_t end, Chunk& chunk) {
    const base::ByteSpan head = in_->at(offset, 8);
    if (!budget_->spend(32) || head.size() < 8) return "the file ends early";
    chunk.id = std::string(base::as_text(head.first(4)));
    // ImageMagick writes "XMP" with a zero.
    const auto odd = [](char c) { return c < ' ' || c > '~'; };
    if (std::ranges::any_of(chunk.id.substr(0, 3), odd) || (chunk.id[3] != 0 && odd(chunk.id[3]))) {
      return "there is no chunk where one has to be";
    }
    std::uint64_t size = big_ ? big<std::uint32_t>(head, 4) : little<std::uint32_t>(head, 4);
    if (size == 0xFFFFFFFF && chunk.id == "data") size = end - offset - 8;
    if (size > end - offset - 8) return "the file ends early, within a chunk";
    chunk.body = {offset + 8, size};
    chunk.next = offset + 8 + size;
    if ((size & 1U) != 0 && chunk.next < end)
      chunk.next = in_->byte(chunk.next) == 0 || !text_at(chunk.next) ? chunk.next + 1 : chunk.next;
    return nullptr;
  }

 private:
  // Some writers forget the padding.
  bool text_at(std::uint64_t offset) {
    const base::ByteSpan id = in_->at(offset, 4);
    return id.size() == 4 && std::ranges::all_of(id, [](std::uint8_t c) { return c >= ' ' && c <= '~'; });
  }

  Window* in_;
  Budget* budget_;
  bool big_;
};

bool rest_is_small(Window& in, std::uint64_t at) {
  const base::ByteSpan rest = in.at(at, 4096);
  return rest.size() < 8 || std::ranges::all_of(rest, [](std::uint8_t c) { return c == 0; });
}

Samples samples_of(unsigned bits, bool is_little_endian) {
  const auto size = static_cast<std::uint8_t>(bits <= 64 ? (bits + 7) / 8 : 0);
  return {size, static_cast<std::uint8_t>(is_little_endian && size > 0 ? size - 1 : 0)};
}

Report sound(Window& in, Budget& budget, bool aiff) {
  Chunks chunks(in, budget, aiff);
  std::vector<Stretch> stretches;
  bool plain = true;
  bool data = false;
  Samples samples;
  const bool wide = in.has(0, "RF64") || in.has(0, "BW64");
  for (std::uint64_t at = 12; at < in.size();) {
    Chunk chunk;
    if (const char* wrong = chunks.at(at, in.size(), chunk)) {
      if (budget.spent_out()) return over_budget();
      if (data && rest_is_small(in, at)) break;
      return broken(at, wrong);
    }
    if (chunk.id == "fmt ") {
      std::uint16_t format = in.little16(chunk.body.offset).value_or(0);
      if (format == 0xFFFE) format = in.little16(chunk.body.offset + 24).value_or(0);
      plain = format == 1 || format == 3;
      samples = samples_of(in.little16(chunk.body.offset + 14).value_or(0), true);
      if (format == 0 || (chunk.body.size < 16 && chunk.body.size != 14))
        return broken(at, "a format of sound that is none");
    }
    if (aiff && chunk.id == "COMM") {
      const bool has_type = in.has(8, "AIFC");
      const std::string_view name = has_type ? base::as_text(in.at(chunk.body.offset + 18, 4)) : "NONE";
      plain = name == "NONE" || name == "sowt" || name == "twos" || name == "fl32" || name == "FL32" || name == "in24";
      samples = samples_of(in.big16(chunk.body.offset + 6).value_or(0), name == "sowt");
    }
    if (chunk.id == "data" || chunk.id == "SSND") {
      data = true;
      if (wide) chunk.next = std::max(chunk.next, at + 8 + std::min(in.little64(28).value_or(0), in.size() - at - 8));
      const Range range{chunk.body.offset, chunk.next - chunk.body.offset};
      add_stretch(stretches, plain ? Stretch{range, Density::kPlain, samples} : Stretch{range, Density::kDense});
    } else if (chunk.body.size >= 4096) {
      add_stretch(stretches, {chunk.body, Density::kDense});
    }
    at = chunk.next;
  }
  return data ? whole(std::move(stretches)) : broken(12, "there is no chunk of sound");
}

// A chunk of a film's data: two digits for the stream and two letters, such as 00dc.
bool is_frame(const std::string& id) {
  if (id == "JUNK" || id == "LIST" || id == "rec " || id == "idx1") return true;
  if (id.starts_with("ix")) return true;
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'); };
  return digit(id[0]) && digit(id[1]) && id[2] >= ' ' && id[3] >= ' ';
}

class Film {
 public:
  Film(Window& in, Budget& budget) : in_(&in), budget_(&budget), chunks_(in, budget, false) {}

  Report read() {
    std::uint64_t at = 0;
    while (at < in_->size()) {
      if (!in_->has(at, "RIFF")) {
        if (films_ > 0) break;  // what cameras put behind
        return broken(at, "there is no RIFF chunk where one has to be");
      }
      Chunk riff;
      if (const char* wrong = chunks_.at(at, in_->size(), riff)) return broken(at, wrong);
      if (riff.body.size < 4) return broken(at, "an empty RIFF chunk");
      if (const char* wrong = list({riff.body.offset + 4, riff.body.size - 4}, false, 0))
        return budget_->spent_out() ? over_budget() : broken(at_, wrong);
      ++films_;
      at = riff.next;
    }
    if (at < in_->size() && !rest_is_small(*in_, at))
      add_stretch(stretches_, {{at, in_->size() - at}, Density::kDense});
    return whole(std::move(stretches_));
  }

 private:
  const char* list(Range range, bool frames, int depth) {
    std::uint64_t at = range.offset;
    while (range.end() - at >= 8) {
      at_ = at;
      Chunk chunk;
      if (const char* wrong = chunks_.at(at, range.end(), chunk)) return wrong;
      if (frames && !is_frame(chunk.id)) return "there is no frame where one has to be";
      if (chunk.id == "LIST" && chunk.body.size >= 4) {
        if (depth >= 6) return "lists within lists without end";
        const bool data = in_->has(chunk.body.offset, "movi") || in_->has(chunk.body.offset, "rec ");
        const bool inner = data || in_->has(chunk.body.offset, "hdrl") || in_->has(chunk.body.offset, "strl");
        if (inner) {
          const Range body{chunk.body.offset + 4, chunk.body.size - 4};
          if (data) add_stretch(stretches_, {body, Density::kDense});
          if (const char* wrong = list(body, data, depth + 1)) return wrong;
        }
      }
      at = std::min(chunk.next, range.end());
    }
    return nullptr;
  }

  Window* in_;
  Budget* budget_;
  Chunks chunks_;
  std::vector<Stretch> stretches_;
  std::uint64_t at_ = 0;
  int films_ = 0;
};

// The beginning of a picture's codes (RFC 6386, section 9.1; RFC 9649).
const char* webp_picture(Window& in, const Chunk& chunk) {
  const base::ByteSpan head = in.at(chunk.body.offset, 10);
  if (chunk.id == "VP8L")
    return head.size() >= 5 && head[0] == 0x2F && head[4] < 0x20 ? nullptr : "a picture without its signature";
  if (chunk.id != "VP8 ") return nullptr;
  if (head.size() < 10 || chunk.body.size < 10) return "a picture that ends early";
  const std::uint32_t tag = head[0] | std::uint32_t{head[1]} << 8U | std::uint32_t{head[2]} << 16U;
  const bool key = (tag & 1U) == 0 && head[3] == 0x9D && head[4] == 1 && head[5] == 0x2A;
  if (!key) return "a picture without its signature";
  return (tag >> 5U) <= chunk.body.size - 10 ? nullptr : "a picture that ends early";
}

}  // namespace

bool recognise_wave(Window& in) {
  return (in.has(0, "RIFF") || in.has(0, "RF64") || in.has(0, "BW64")) && in.has(8, "WAVE");
}
Report check_wave(Window& in, Budget& budget) { return sound(in, budget, false); }

bool recognise_aiff(Window& in) { return in.has(0, "FORM") && (in.has(8, "AIFF") || in.has(8, "AIFC")); }
Report check_aiff(Window& in, Budget& budget) { return sound(in, budget, true); }

bool recognise_avi(Window& in) { return in.has(0, "RIFF") && in.has(8, "AVI "); }
Report check_avi(Window& in, Budget& budget) { return Film(in, budget).read(); }

bool recognise_webp(Window& in) { return in.has(0, "RIFF") && in.has(8, "WEBP"); }

Report check_webp(Window& in, Budget& budget) {
  Chunks chunks(in, budget, false);
  const std::uint64_t end = 8 + std::uint64_t{in.little32(4).value_or(0)};
  if (end > in.size() + 1) return broken(in.size(), "the file ends early");
  std::vector<Stretch> stretches;
  for (std::uint64_t at = 12; at + 8 <= std::min(end, in.size());) {
    Chunk chunk;
    const char* wrong = chunks.at(at, in.size(), chunk);
    if (budget.spent_out()) return over_budget();
    if (wrong == nullptr) wrong = webp_picture(in, chunk);
    if (wrong != nullptr) return broken(at, wrong);
    add_stretch(stretches, {chunk.body, Density::kDense});
    at = chunk.next;
  }
  return whole(std::move(stretches));
}

}  // namespace kura::detect::riff
