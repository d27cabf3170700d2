#include "archive/repo/index_table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <tuple>
#include <utility>

#include "archive/format/limits.h"

namespace kura::archive {
namespace {

constexpr std::string_view kMagic = "KURATABL";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kIdSize = sizeof(store::ObjectId::bytes);
constexpr std::size_t kHeadSize = 8 + 2 + 2 * kIdSize + 8 + 3 * 4;
constexpr std::size_t kPackSize = kIdSize + 8 + 4;
constexpr std::size_t kFrameSize = 3 * 4;
constexpr std::size_t kPrefixSize = 4;
constexpr std::size_t kChunkSize = kIdSize + 3 * 4;
constexpr std::uint32_t kCompressed = 1U << 31;

static_assert(kPackLimit <= UINT32_MAX && kSealedFrameLimit < kCompressed);

constexpr std::size_t a_page(std::size_t record_size) { return PageFile::kText / record_size; }
constexpr std::size_t pages_for(std::size_t count, std::size_t record_size) {
  return (count + a_page(record_size) - 1) / a_page(record_size);
}

// Fields of a record, one after the other.
template <std::size_t kSize>
class RecordWriter {
 public:
  RecordWriter& raw(base::ByteSpan field) {
    std::memcpy(bytes_.data() + used_, field.data(), field.size());
    used_ += field.size();
    return *this;
  }
  template <typename Number>
  RecordWriter& number(Number value) {
    return raw({reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }
  RecordWriter& id(const base::Digest& id) { return raw(id.span()); }
  base::ByteSpan bytes() const { return {bytes_.data(), kSize}; }

 private:
  std::array<std::uint8_t, kSize> bytes_{};
  std::size_t used_ = 0;
};

template <typename Number>
Number number_at(const std::uint8_t* at) {
  Number value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

base::Digest id_at(const std::uint8_t* at) { return base::Digest::from_bytes({at, kIdSize}); }

struct Counts {
  std::uint32_t packs = 0, frames = 0, chunks = 0;
};

Counts count(std::span<const IndexedPack> packs) {
  Counts counts{.packs = static_cast<std::uint32_t>(packs.size())};
  for (const IndexedPack& pack : packs) {
    counts.frames += static_cast<std::uint32_t>(pack.record.frames.size());
    for (const FrameRecord& frame : pack.record.frames) {
      counts.chunks += static_cast<std::uint32_t>(frame.chunks.size());
    }
  }
  return counts;
}

void write_head(PageWriter& out, const TableName& name, const Counts& counts) {
  RecordWriter<kHeadSize> head;
  head.raw(base::as_bytes(kMagic)).number(kVersion).id(name.config).id(name.index);
  head.number(name.size).number(counts.packs).number(counts.frames).number(counts.chunks);
  out.add(head.bytes());
  out.next_page();
}

void write_packs(PageWriter& out, std::span<const IndexedPack> packs) {
  std::uint32_t first_frame = 0;
  for (const IndexedPack& pack : packs) {
    out.add(RecordWriter<kPackSize>().id(pack.id).number(pack.size).number(first_frame).bytes());
    first_frame += static_cast<std::uint32_t>(pack.record.frames.size());
  }
  out.next_page();
}

void write_frames(PageWriter& out, std::span<const IndexedPack> packs) {
  for (const IndexedPack& pack : packs) {
    std::uint64_t offset = kPackHeaderSize;
    for (const FrameRecord& frame : pack.record.frames) {
      const std::uint32_t compressed = frame.compression == Compression::kNone ? 0 : kCompressed;
      out.add(RecordWriter<kFrameSize>()
                  .number(static_cast<std::uint32_t>(offset))
                  .number(frame.sealed_size | compressed)
                  .number(frame.text_size())
                  .bytes());
      offset += frame.sealed_size;
    }
  }
  out.next_page();
}

std::vector<IndexTable::Chunk> sorted_chunks(std::span<const IndexedPack> packs, std::size_t count) {
  std::vector<IndexTable::Chunk> chunks;
  chunks.reserve(count);
  std::uint32_t number = 0;
  for (const IndexedPack& pack : packs) {
    for (const FrameRecord& frame : pack.record.frames) {
      std::uint32_t offset = 0;
      for (const ChunkEntry& chunk : frame.chunks) {
        chunks.push_back({.id = chunk.id, .frame = number, .offset = offset, .size = chunk.size});
        offset += chunk.size;
      }
      ++number;
    }
  }
  std::ranges::sort(chunks, [](const IndexTable::Chunk& a, const IndexTable::Chunk& b) {
    return std::tie(a.id, a.frame, a.offset) < std::tie(b.id, b.frame, b.offset);
  });
  return chunks;
}

}  // namespace

std::uint32_t IndexTable::prefix_of(const ChunkId& id) {
  const auto& bytes = id.bytes;
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

base::RawBuffer IndexTable::encode(const TableName& name, std::span<const IndexedPack> packs) {
  const Counts counts = count(packs);
  PageWriter out(1 + pages_for(counts.packs, kPackSize) + pages_for(counts.frames, kFrameSize) +
                 pages_for(counts.chunks, kPrefixSize) + pages_for(counts.chunks, kChunkSize));
  write_head(out, name, counts);
  write_packs(out, packs);
  write_frames(out, packs);
  const std::vector<Chunk> chunks = sorted_chunks(packs, counts.chunks);
  for (const Chunk& chunk : chunks) out.add(RecordWriter<kPrefixSize>().number(prefix_of(chunk.id)).bytes());
  out.next_page();
  for (const Chunk& chunk : chunks) {
    out.add(
        RecordWriter<kChunkSize>().id(chunk.id).number(chunk.frame).number(chunk.offset).number(chunk.size).bytes());
  }
  return out.take();
}

std::shared_ptr<IndexTable> IndexTable::open(std::unique_ptr<PageFile> pages, const TableName& name) {
  std::shared_ptr<IndexTable> table(new IndexTable);
  table->pages_ = std::move(pages);
  if (table->pages_ == nullptr || !table->read_head(name) || !table->read_packs()) return nullptr;
  return table;
}

std::shared_ptr<IndexTable> IndexTable::of(std::span<const IndexedPack> packs) {
  return open(std::make_unique<PageFile>(encode({}, packs)), {});
}

bool IndexTable::read_head(const TableName& name) {
  PageFile::Scratch scratch;
  const std::uint8_t* at = pages_->text(0, scratch, Keep::kNever);
  if (at == nullptr || base::as_text({at, kMagic.size()}) != kMagic) return false;
  at += kMagic.size();
  if (number_at<std::uint16_t>(at) != kVersion) return false;
  at += sizeof kVersion;
  const TableName found{
      .config = id_at(at), .index = id_at(at + kIdSize), .size = number_at<std::uint64_t>(at + 2 * kIdSize)};
  at += 2 * kIdSize + sizeof found.size;
  const auto packs = number_at<std::uint32_t>(at);
  frames_ = number_at<std::uint32_t>(at + 4);
  chunks_ = number_at<std::uint32_t>(at + 8);
  first_frame_page_ = 1 + pages_for(packs, kPackSize);
  first_prefix_page_ = first_frame_page_ + pages_for(frames_, kFrameSize);
  first_chunk_page_ = first_prefix_page_ + pages_for(chunks_, kPrefixSize);
  if (found != name || first_chunk_page_ + pages_for(chunks_, kChunkSize) != pages_->pages()) return false;
  packs_.resize(packs);
  return true;
}

bool IndexTable::read_packs() {
  PageFile::Scratch scratch;
  for (std::size_t number = 0; number < packs_.size();) {
    const std::uint8_t* at = pages_->text(1 + number / a_page(kPackSize), scratch, Keep::kNever);
    if (at == nullptr) return false;
    for (std::size_t i = 0; i < a_page(kPackSize) && number < packs_.size(); ++i, ++number, at += kPackSize) {
      packs_[number] = {.id = id_at(at),
                        .size = number_at<std::uint64_t>(at + kIdSize),
                        .first_frame = number_at<std::uint32_t>(at + kIdSize + 8)};
      const std::uint32_t before = number == 0 ? 0 : packs_[number - 1].first_frame;
      if (packs_[number].first_frame < before || packs_[number].first_frame > frames_) return false;
    }
  }
  return packs_.empty() ? frames_ == 0 : packs_.front().first_frame == 0;
}

std::uint32_t IndexTable::frames_of(std::uint32_t pack) const {
  const std::uint32_t end = pack + 1 < packs_.size() ? packs_[pack + 1].first_frame : frames_;
  return end - packs_[pack].first_frame;
}

std::uint32_t IndexTable::pack_of(std::uint32_t frame) const {
  const auto after = std::ranges::upper_bound(packs_, frame, {}, &Pack::first_frame);
  return static_cast<std::uint32_t>(after - packs_.begin() - 1);
}

FramePlace IndexTable::frame(std::uint32_t number) const {
  PageFile::Scratch scratch;
  const std::size_t page = first_frame_page_ + number / a_page(kFrameSize);
  const std::uint8_t* at = pages_->text(page, scratch, Keep::kWithinBudget);
  if (at == nullptr) return {};
  at += number % a_page(kFrameSize) * kFrameSize;
  const auto sealed = number_at<std::uint32_t>(at + 4);
  return {.offset = number_at<std::uint32_t>(at),
          .sealed_size = sealed & ~kCompressed,
          .text_size = number_at<std::uint32_t>(at + 8),
          .compression = (sealed & kCompressed) != 0 ? Compression::kZstd : Compression::kNone};
}

std::optional<IndexTable::Chunk> IndexTable::chunk(std::uint32_t number) const {
  PageFile::Scratch scratch;
  const std::size_t page = first_chunk_page_ + number / a_page(kChunkSize);
  const std::uint8_t* at = pages_->text(page, scratch, Keep::kWithinBudget);
  if (at == nullptr) return std::nullopt;
  at += number % a_page(kChunkSize) * kChunkSize;
  Chunk chunk{.id = id_at(at),
              .frame = number_at<std::uint32_t>(at + kIdSize),
              .offset = number_at<std::uint32_t>(at + kIdSize + 4),
              .size = number_at<std::uint32_t>(at + kIdSize + 8)};
  if (chunk.frame >= frames_) return std::nullopt;
  return chunk;
}

std::optional<std::uint32_t> IndexTable::prefix(std::uint32_t number) const {
  PageFile::Scratch scratch;
  const std::size_t page = first_prefix_page_ + number / a_page(kPrefixSize);
  const std::uint8_t* at = pages_->text(page, scratch, Keep::kAlways);
  if (at == nullptr) return std::nullopt;
  return number_at<std::uint32_t>(at + number % a_page(kPrefixSize) * kPrefixSize);
}

// The number of the first chunk whose prefix is not below `wanted`. Starts where it is expected and doubles its steps,
// so that evenly spread ids are found within a page or two, and whatever else somebody made up within 2 log2(n) steps.
std::uint32_t IndexTable::first_not_below(std::uint32_t wanted) const {
  const auto is_below = [&](std::uint32_t number) { return prefix(number).value_or(wanted) < wanted; };
  auto low = static_cast<std::uint32_t>(std::uint64_t{wanted} * chunks_ >> 32);
  std::uint32_t high = low;
  std::uint32_t step = 64;
  while (low > 0 && !is_below(low - 1)) {
    high = low - 1;
    low = low > step ? low - step : 0;
    step *= 2;
  }
  while (high < chunks_ && is_below(high)) {
    low = high + 1;
    high = chunks_ - high > step ? high + step : chunks_;
    step *= 2;
  }
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (is_below(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void IndexTable::find(const ChunkId& id, const std::function<bool(const Chunk& chunk)>& visit) const {
  const std::uint32_t wanted = prefix_of(id);
  std::uint32_t low = first_not_below(wanted);
  if (low == chunks_ || prefix(low) != wanted) return;
  // One or two have this prefix, unless somebody made ids up.
  std::uint32_t high = low + 1;
  if (high < chunks_ && prefix(high) == wanted) high = wanted == UINT32_MAX ? chunks_ : first_not_below(wanted + 1);
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const std::optional<Chunk> at = chunk(middle);
    if (!at) return;
    if (at->id < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (; low < chunks_; ++low) {
    const std::optional<Chunk> at = chunk(low);
    if (!at || at->id != id || !visit(*at)) return;
  }
}

void IndexTable::each_prefix(
    const std::function<void(std::uint32_t first, std::span<const std::uint32_t> run)>& visit) const {
  PageFile::Scratch scratch;
  std::array<std::uint32_t, a_page(kPrefixSize)> run{};
  for (std::uint32_t first = 0; first < chunks_;) {
    const std::size_t count = std::min<std::size_t>(run.size(), chunks_ - first);
    const std::uint8_t* at = pages_->text(first_prefix_page_ + first / run.size(), scratch, Keep::kNever);
    if (at == nullptr) return;
    std::memcpy(run.data(), at, count * kPrefixSize);
    visit(first, std::span(run).first(count));
    first += static_cast<std::uint32_t>(count);
  }
}

}  // namespace kura::archive
