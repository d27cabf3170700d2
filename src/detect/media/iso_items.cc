#include "detect/media/iso_items.h"

#include <map>

#include "detect/media/iso_samples.h"

namespace kura::detect::iso {
namespace {

constexpr std::uint32_t kMostItems = 65536;

class Items {
 public:
  Items(Window& in, Budget& budget) : in_(&in), budget_(&budget) {}
  const char* read(Range body);
  const char* judge(std::uint64_t& at);

 private:
  void names(Range body);
  const char* places(Range body);
  bool item(std::uint64_t& at, std::uint64_t end, unsigned version);
  std::uint64_t number(std::uint64_t& at, unsigned bytes);

  struct Place {
    std::uint32_t id;
    Range range;
  };
  Window* in_;
  Budget* budget_;
  std::map<std::uint32_t, std::string> types_;
  std::vector<Place> places_;
  unsigned offset_bytes_ = 0;
  unsigned length_bytes_ = 0;
  unsigned base_bytes_ = 0;
  unsigned index_bytes_ = 0;
};

std::uint64_t Items::number(std::uint64_t& at, unsigned bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value = value << 8U | in_->byte(at++).value_or(0);
  return value;
}

void Items::names(Range body) {
  const unsigned version = in_->byte(body.offset).value_or(0);
  const std::uint64_t skip = version == 0 ? 6 : 8;
  if (body.size < skip) return;
  each_box(*in_, {body.offset + skip, body.size - skip}, *budget_, [&](const Box& box) {
    const unsigned form = in_->byte(box.body.offset).value_or(0);
    if (box.type != "infe" || form < 2 || types_.size() >= kMostItems) return true;
    std::uint64_t at = box.body.offset + 4;
    const auto id = static_cast<std::uint32_t>(number(at, form == 2 ? 2 : 4));
    types_[id] = std::string(base::as_text(in_->at(at + 2, 4)));
    return true;
  });
}

// One item; of those in several extents, or relative to others, only the ranges are looked at.
bool Items::item(std::uint64_t& at, std::uint64_t end, unsigned version) {
  const auto id = static_cast<std::uint32_t>(number(at, version < 2 ? 2 : 4));
  const auto method = version == 0 ? 0 : number(at, 2) & 15U;
  number(at, 2);
  const std::uint64_t base = number(at, base_bytes_);
  const std::uint64_t extents = number(at, 2);
  for (std::uint64_t i = 0; i < extents; ++i) {
    if (at > end || !budget_->spend(32)) return false;
    if (version > 0) number(at, index_bytes_);
    const std::uint64_t offset = number(at, offset_bytes_);
    const std::uint64_t length = number(at, length_bytes_);
    if (method != 0) continue;
    if (base > in_->size() || offset > in_->size() - base || length > in_->size() - base - offset) return false;
    if (extents == 1 && places_.size() < kMostItems) places_.push_back({id, {base + offset, length}});
  }
  return at <= end;
}

const char* Items::places(Range body) {
  std::uint64_t at = body.offset;
  const auto version = static_cast<unsigned>(number(at, 1));
  number(at, 3);
  const auto widths = static_cast<unsigned>(number(at, 2));
  offset_bytes_ = widths >> 12U & 15U;
  length_bytes_ = widths >> 8U & 15U;
  base_bytes_ = widths >> 4U & 15U;
  index_bytes_ = version == 0 ? 0 : widths & 15U;
  if (version > 2 || offset_bytes_ > 8 || length_bytes_ > 8 || base_bytes_ > 8 || index_bytes_ > 8) {
    return "the list of where its items are makes no sense";
  }
  const std::uint64_t count = number(at, version < 2 ? 2 : 4);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!item(at, body.end(), version))
      return budget_->spent_out() ? nullptr : "an item lies beyond the end of the file";
  }
  return nullptr;
}

const char* Items::read(Range body) {
  const char* wrong = nullptr;
  const bool filled = each_box(*in_, body, *budget_, [&](const Box& box) {
    if (box.type == "iinf") names(box.body);
    if (box.type == "iloc") wrong = places(box.body);
    return wrong == nullptr;
  });
  if (wrong != nullptr || budget_->spent_out()) return wrong;
  return filled ? nullptr : "the boxes of its metadata do not fill it";
}

const char* Items::judge(std::uint64_t& at) {
  for (const Place& place : places_) {
    if (!budget_->spend(16)) return nullptr;
    const auto type = types_.find(place.id);
    if (type == types_.end()) continue;
    at = place.range.offset;
    SampleJudge judge(codec_of(type->second), 4);
    if (const char* wrong = judge.judge(*in_, place.range, *budget_)) return wrong;
  }
  return nullptr;
}

}  // namespace

const char* judge_items(Window& in, const Box& meta, Budget& budget, std::uint64_t& at) {
  at = meta.whole.offset;
  if (meta.body.size < 8) return nullptr;
  // A full box; QuickTime's is a plain one.
  const bool plain = in.has(meta.body.offset + 4, "hdlr");
  const std::uint64_t skip = plain ? 0 : 4;
  Items items(in, budget);
  if (const char* wrong = items.read({meta.body.offset + skip, meta.body.size - skip})) return wrong;
  return items.judge(at);
}

}  // namespace kura::detect::iso
