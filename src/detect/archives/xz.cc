// xz (The .xz File Format 1.1.0): streams of blocks of LZMA2, each followed by an index of its blocks' sizes.
//
// LZMA unpacks some 20 MB of a file a second, so at most kUnpackMost of a file are unpacked, spread over its blocks
// (writers with one thread make a single one: there its beginning). Of the rest, headers, lengths and the chain of
// LZMA2 chunks are proven, which finds what hits the header of one (every 64 KiB of packed data, at most); smaller
// damage between them is missed, and what was not unpacked is given back as a dense stretch.
#include <lzma.h>

#include <algorithm>
#include <array>
#include <optional>

#include "detect/archives/validators.h"
#include "detect/codec/inflate.h"

namespace kura::detect::xz {
namespace {

constexpr std::string_view kMagic("\xFD\x37zXZ\0", 6);
constexpr std::uint64_t kUnpackMost = 4U << 20;   // bytes of a file, packed
constexpr std::uint64_t kMemoryMost = 80U << 20;  // what `xz -9` needs; touched only as far as it unpacks
constexpr std::size_t kPiece = 64U << 10;

// A number of seven bits a byte, section 1.2; moves `offset` behind it.
std::optional<std::uint64_t> read_number(Window& in, std::uint64_t& offset) {
  const base::ByteSpan bytes = in.at(offset, 9);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= static_cast<std::uint64_t>(bytes[i] & 0x7F) << (7 * i);
    if ((bytes[i] & 0x80) != 0) continue;
    offset += i + 1;
    return value;
  }
  return std::nullopt;
}

// Sizes of blocks, put together into one number, to compare what was read with what the index says.
struct Sizes {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;

  void add(std::uint64_t packed, std::uint64_t unpacked) {
    ++count;
    sum = (sum ^ packed) * 0x9E3779B97F4A7C15 + unpacked;
  }
  friend bool operator==(const Sizes&, const Sizes&) = default;
};

class Checker {
 public:
  Checker(Window& in, Budget& budget) : in_(in), budget_(budget) {}
  Report run();

 private:
  bool check_stream();
  bool check_block();
  bool walk_chunks(std::uint64_t& unpacked);
  bool unpack(lzma_block& block, Range data);
  bool check_index(std::uint64_t start);
  bool fail(std::uint64_t at, std::string evidence) {
    report_ = broken(at, std::move(evidence));
    return false;
  }
  bool run_out() {
    report_ = over_budget();
    return false;
  }

  Window& in_;
  Budget& budget_;
  Report report_;
  std::uint64_t offset_ = 0;    // up to which all is read
  std::uint64_t unpacked_ = 0;  // bytes of the file that were unpacked
  std::uint16_t flags_ = 0;     // of the stream
  Sizes sizes_;                 // of its blocks
};

// Moves offset_ along the chunks of a block (LZMA2, as XZ Utils document it) to behind the last.
bool Checker::walk_chunks(std::uint64_t& unpacked) {
  for (bool first = true;; first = false) {
    const base::ByteSpan head = in_.at(offset_, 7);
    if (!budget_.spend(16)) return run_out();
    if (head.empty()) return fail(offset_, "the file ends within a block");
    const std::uint8_t control = head[0];
    if (control == 0) {
      ++offset_;
      return true;
    }
    if (first && control != 1 && control < 0xE0) return fail(offset_, "a block's first chunk is none");
    if (control > 2 && control < 0x80) return fail(offset_, "the chain of chunks is broken");
    if (head.size() < 7) return fail(offset_, "the file ends within a block");
    std::uint64_t size = std::uint64_t{big<std::uint16_t>(head, 1)} + 1;
    std::uint64_t packed = size + 3;
    if (control >= 0x80) {
      size += static_cast<std::uint64_t>(control & 0x1F) << 16;
      // Five bytes begin the range coder, the first of them zero.
      const std::size_t start = control >= 0xC0 ? 6 : 5;
      packed = std::uint64_t{big<std::uint16_t>(head, 3)} + 1 + start;
      const base::ByteSpan lead = in_.at(offset_ + start, 1);
      if (lead.empty() || lead[0] != 0 || packed < start + 5) return fail(offset_, "the chain of chunks is broken");
      if (start == 6 && head[5] >= 225) return fail(offset_, "the chain of chunks is broken");
    }
    if (packed > in_.size() - offset_)
      return fail(in_.size(), "the file ends within a block, or its chunks are broken");
    offset_ += packed;
    unpacked += size;
  }
}

// Unpacks a block's `data`, with its check, as far as the allowance goes.
bool Checker::unpack(lzma_block& block, Range data) {
  static thread_local std::array<std::uint8_t, kPiece> out;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_block_decoder(&stream, &block) != LZMA_OK) return true;  // a filter that this build does not have
  std::uint64_t at = data.offset;
  lzma_ret code = LZMA_OK;
  while (code == LZMA_OK && at < data.end() && unpacked_ < kUnpackMost) {
    const base::ByteSpan bytes = in_.at(at, static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, data.end() - at)));
    if (bytes.empty()) break;
    stream.next_in = bytes.data();
    stream.avail_in = bytes.size();
    at += bytes.size();
    unpacked_ += bytes.size();
    do {
      stream.next_out = out.data();
      stream.avail_out = out.size();
      code = lzma_code(&stream, LZMA_RUN);
      if (!budget_.spend(kPiece - stream.avail_out + 1)) code = LZMA_MEM_ERROR;
    } while (code == LZMA_OK && (stream.avail_in > 0 || stream.avail_out == 0));
  }
  lzma_end(&stream);
  if (budget_.spent_out()) return run_out();
  if (code == LZMA_DATA_ERROR || code == LZMA_BUF_ERROR)
    return fail(at, "a block does not unpack, or its checksum is wrong");
  if (code == LZMA_OK && at < data.end()) add_stretch(report_.stretches, {{at, data.end() - at}, Density::kDense});
  return true;
}

bool Checker::check_block() {
  const std::uint64_t start = offset_;
  const std::size_t header = (std::size_t{in_.byte(start).value_or(0)} + 1) * 4;
  const auto bytes = in_.whole(start, header);
  if (!bytes) return fail(start, "the file ends within the header of a block");
  if (crc32(bytes->first(header - 4)) != little<std::uint32_t>(*bytes, header - 4)) {
    return fail(start, "the checksum of a block's header is wrong");
  }
  std::array<lzma_filter, LZMA_FILTERS_MAX + 1> filters{};
  lzma_block block{};
  block.version = 1;
  block.check = static_cast<lzma_check>(flags_ >> 8 & 15);
  block.header_size = static_cast<std::uint32_t>(header);
  block.filters = filters.data();
  const bool known = lzma_block_header_decode(&block, nullptr, bytes->data()) == LZMA_OK;

  offset_ = start + header;
  std::uint64_t size = 0;
  bool good = walk_chunks(size);
  const std::uint64_t data = offset_ - start - header;
  if (good && known &&
      ((block.compressed_size != LZMA_VLI_UNKNOWN && block.compressed_size != data) ||
       (block.uncompressed_size != LZMA_VLI_UNKNOWN && block.uncompressed_size != size))) {
    good = fail(start, "a block has another size than its header says");
  }
  while (good && (offset_ & 3U) != 0) {
    if (in_.byte(offset_++) != 0) good = fail(offset_ - 1, "a block does not end where it should");
  }
  const std::uint64_t check = lzma_check_size(block.check);
  offset_ += check;
  if (good && offset_ > in_.size()) good = fail(in_.size(), "the file ends within a block");
  sizes_.add(header + data + check, size);
  const Range packed{start + header, offset_ - start - header};
  // Spread: as much of the allowance as of the file is read.
  const bool due = static_cast<double>(unpacked_) <=
                   static_cast<double>(kUnpackMost) * (static_cast<double>(start) / static_cast<double>(in_.size()));
  const bool wanted = in_.size() <= kUnpackMost || due;
  if (good && known && wanted && lzma_raw_decoder_memusage(filters.data()) <= kMemoryMost) {
    good = unpack(block, packed);
    if (check == 0) add_stretch(report_.stretches, {packed, Density::kDense});
  } else if (good) {
    add_stretch(report_.stretches, {packed, Density::kDense});
  }
  if (known) lzma_filters_free(filters.data(), nullptr);
  return good;
}

// The index and the stream's end, sections 4 and 2.1.2.
bool Checker::check_index(std::uint64_t start) {
  offset_ = start + 1;
  const auto count = read_number(in_, offset_);
  if (count != sizes_.count) return fail(start, "the index has another number of blocks than there are");
  Sizes said;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto packed = read_number(in_, offset_);
    const auto size = read_number(in_, offset_);
    if (!budget_.spend(16)) return run_out();
    if (!packed || !size) return fail(offset_, "the index is damaged");
    said.add(*packed, *size);
  }
  if (said != sizes_) return fail(start, "the index says other sizes than the blocks have");
  offset_ = (offset_ + 3) & ~3ULL;
  if (in_.little32(offset_) != crc32(in_, {start, offset_ - start}, budget_)) {
    return fail(offset_, "the checksum of the index is wrong, or the file ends within it");
  }
  offset_ += 4;
  const auto footer = in_.whole(offset_, 12);
  const std::uint64_t size = offset_ - start;
  if (!footer || !base::as_text(*footer).ends_with("YZ") || little<std::uint16_t>(*footer, 8) != flags_ ||
      (std::uint64_t{little<std::uint32_t>(*footer, 4)} + 1) * 4 != size ||
      crc32(footer->subspan(4, 6)) != little<std::uint32_t>(*footer)) {
    return fail(offset_, "the stream's end is damaged, or the file ends early");
  }
  offset_ += 12;
  return true;
}

bool Checker::check_stream() {
  const auto head = in_.whole(offset_, 12);
  if (!head || !base::as_text(*head).starts_with(kMagic) ||
      crc32(head->subspan(6, 2)) != little<std::uint32_t>(*head, 8)) {
    return fail(offset_, "the header of the stream is damaged");
  }
  // The stream's flags are big in the middle of bytes that are little: the first is zero.
  flags_ = little<std::uint16_t>(*head, 6);
  sizes_ = {};
  offset_ += 12;
  while (in_.byte(offset_).value_or(0) != 0) {
    if (!check_block()) return false;
  }
  if (offset_ >= in_.size()) return fail(in_.size(), "the file ends before the index");
  return check_index(offset_);
}

Report Checker::run() {
  do {
    if (!check_stream()) return report_;
    // Zeros may follow a stream, and another stream those. Other bytes readers refuse only after they unpacked all.
    while (offset_ < in_.size() && in_.byte(offset_) == 0) {
      if (!budget_.spend(1)) return over_budget();
      ++offset_;
    }
  } while (in_.has(offset_, kMagic));
  add_stretch(report_.stretches, {{offset_, in_.size() - offset_}, Density::kPlain});
  return report_;
}

}  // namespace

bool recognise(Window& in) { return in.has(0, kMagic); }

Report check(Window& in, Budget& budget) { return Checker(in, budget).run(); }

}  // namespace kura::detect::xz
