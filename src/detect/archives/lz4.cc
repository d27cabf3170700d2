// LZ4 frames (LZ4 Frame Format 1.6.4, LZ4 Block Format): unpacked by own code, which proves lengths and references, and
// the frame's checksums by xxHash. Old frames (of the first lz4 programs and of Linux kernels) have no checksum.
#include <algorithm>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "detect/archives/validators.h"

namespace kura::detect::lz4 {
namespace {

constexpr std::uint32_t kMagic = 0x184D2204;
constexpr std::uint32_t kOldMagic = 0x184C2102;
constexpr std::uint32_t kSkippable = 0x184D2A50;
constexpr std::size_t kHistory = 64U << 10;  // what a reference reaches back
constexpr std::size_t kOldBlock = 8U << 20;

// Room for a block and what came before it.
struct Output {
  base::Bytes bytes;
  std::size_t start = 0;  // of the block
  std::size_t end = 0;    // of what is there
};

// Reads a length that goes on in bytes of 255; false when the block ends in it.
bool add_length(base::ByteSpan in, std::size_t& at, std::size_t& length) {
  if (length != 15) return true;
  while (at < in.size()) {
    const std::uint8_t more = in[at++];
    length += more;
    if (more != 255) return true;
  }
  return false;
}

// Unpacks one block behind what `out` has; false when it is none, or has more than `most` bytes.
bool unpack_block(base::ByteSpan in, Output& out, std::size_t most) {
  std::size_t at = 0;
  while (at < in.size()) {
    const std::uint8_t token = in[at++];
    std::size_t literals = token >> 4;
    if (!add_length(in, at, literals) || literals > in.size() - at) return false;
    if (literals > out.start + most - out.end) return false;
    if (literals > 0) std::memcpy(out.bytes.data() + out.end, in.data() + at, literals);
    at += literals;
    out.end += literals;
    if (at == in.size()) return true;  // the last sequence has no reference
    if (in.size() - at < 2) return false;
    const std::size_t back = little<std::uint16_t>(in, at);
    at += 2;
    std::size_t length = token & 15;
    if (!add_length(in, at, length)) return false;
    length += 4;
    if (back == 0 || back > out.end || length > out.start + most - out.end) return false;
    std::uint8_t* to = out.bytes.data() + out.end;
    const std::uint8_t* from = to - back;
    if (back >= length) {
      std::memcpy(to, from, length);
    } else {
      for (std::size_t i = 0; i < length; ++i) to[i] = from[i];
    }
    out.end += length;
  }
  return false;
}

struct Frame {
  bool linked = false;
  bool block_checksums = false;
  bool checksum = false;
  std::uint64_t size = ~0ULL;
  std::size_t block_most = 0;
  std::uint64_t header = 0;  // bytes
};

std::optional<Frame> read_frame(Window& in, std::uint64_t offset) {
  const base::ByteSpan head = in.at(offset, 19);
  if (head.size() < 7) return std::nullopt;
  const std::uint8_t flags = head[4];
  const std::uint8_t blocks = head[5];
  if (flags >> 6 != 1 || (flags & 2) != 0 || (blocks & 0x8F) != 0 || blocks < 0x40) return std::nullopt;
  Frame frame;
  frame.linked = (flags & 0x20) == 0;
  frame.block_checksums = (flags & 0x10) != 0;
  frame.checksum = (flags & 4) != 0;
  frame.block_most = std::size_t{1} << (8 + 2 * (blocks >> 4));
  std::size_t length = 6 + ((flags & 8) != 0 ? 8 : 0) + ((flags & 1) != 0 ? 4 : 0);
  if (head.size() < length + 1) return std::nullopt;
  if ((flags & 8) != 0) frame.size = little<std::uint64_t>(head, 6);
  if ((XXH32(head.data() + 4, length - 4, 0) >> 8 & 0xFF) != head[length]) return std::nullopt;
  frame.header = length + 1;
  return frame;
}

class Checker {
 public:
  Checker(Window& in, Budget& budget) : in_(in), budget_(budget) {}
  Report run();

 private:
  bool check_frame();
  bool check_old_frame();
  bool unpack(Range block, bool packed, bool linked, std::size_t most);
  bool fail(std::uint64_t at, std::string evidence) {
    report_ = broken(at, std::move(evidence));
    return false;
  }

  Window& in_;
  Budget& budget_;
  Report report_;
  std::uint64_t offset_ = 0;
  Output out_;
  base::Bytes packed_;
};

bool Checker::unpack(Range block, bool packed, bool linked, std::size_t most) {
  // What a reference may reach goes to the front.
  const std::size_t kept = linked ? std::min(out_.end, kHistory) : 0;
  if (kept > 0) std::memmove(out_.bytes.data(), out_.bytes.data() + out_.end - kept, kept);
  out_.start = out_.end = kept;
  if (out_.bytes.size() < kHistory + most) out_.bytes.resize(kHistory + most);
  packed_.clear();
  for (std::uint64_t at = block.offset; at < block.end();) {
    const base::ByteSpan bytes =
        in_.at(at, static_cast<std::size_t>(std::min<std::uint64_t>(64U << 10, block.end() - at)));
    if (bytes.empty()) return fail(in_.size(), "the file ends within a block");
    packed_.insert(packed_.end(), bytes.begin(), bytes.end());
    at += bytes.size();
  }
  if (!packed) {
    if (packed_.size() > most) return fail(block.offset, "a block is larger than the frame allows");
    std::memcpy(out_.bytes.data() + out_.end, packed_.data(), packed_.size());
    out_.end += packed_.size();
  } else if (!unpack_block(packed_, out_, most)) {
    return fail(block.offset, "a block does not unpack");
  }
  if (budget_.spend(packed_.size() + (out_.end - out_.start) + 64)) return true;
  report_ = over_budget();
  return false;
}

bool Checker::check_frame() {
  const auto frame = read_frame(in_, offset_);
  if (!frame) return fail(offset_, "the header of a frame is damaged");
  offset_ += frame->header;
  out_.end = 0;
  XXH32_state_t state;
  XXH32_reset(&state, 0);
  std::uint64_t made = 0;
  while (true) {
    const auto word = in_.little32(offset_);
    if (!word) return fail(in_.size(), "the file ends within a frame");
    offset_ += 4;
    if (*word == 0) break;
    const std::uint64_t size = *word & 0x7FFFFFFF;
    if (size > frame->block_most) return fail(offset_ - 4, "a block is larger than the frame allows");
    if (size > in_.size() - offset_) return fail(in_.size(), "the file ends within a block");
    if (!unpack({offset_, size}, *word >> 31 == 0, frame->linked, frame->block_most)) return false;
    if (!frame->block_checksums && !frame->checksum) {
      add_stretch(report_.stretches, {{offset_, size}, Density::kDense});
    }
    offset_ += size;
    if (frame->block_checksums) {
      if (in_.little32(offset_) != XXH32(packed_.data(), packed_.size(), 0)) {
        return fail(offset_, "the checksum of a block is wrong");
      }
      offset_ += 4;
    }
    made += out_.end - out_.start;
    if (frame->checksum) XXH32_update(&state, out_.bytes.data() + out_.start, out_.end - out_.start);
  }
  if (frame->size != ~0ULL && frame->size != made)
    return fail(offset_, "a frame has another size than its header says");
  if (!frame->checksum) return true;
  if (in_.little32(offset_) != XXH32_digest(&state)) return fail(offset_, "the checksum of a frame is wrong");
  offset_ += 4;
  return true;
}

// Blocks of 8 MiB up to the end of the file, or to another magic, which is no possible length.
bool Checker::check_old_frame() {
  offset_ += 4;
  while (offset_ < in_.size()) {
    const auto size = in_.little32(offset_);
    if (!size) return true;  // up to three bytes of nothing
    if (*size == kMagic || *size == kOldMagic || (*size & ~15U) == kSkippable) return true;
    // A Linux kernel has its unpacked size behind the last block.
    if (in_.size() - offset_ == 4) return true;
    if (*size > kOldBlock + kOldBlock / 255 + 16) return fail(offset_, "a block is larger than this format allows");
    offset_ += 4;
    if (*size > in_.size() - offset_) return fail(in_.size(), "the file ends within a block");
    out_.end = 0;
    if (!unpack({offset_, *size}, true, false, kOldBlock)) return false;
    add_stretch(report_.stretches, {{offset_, *size}, Density::kDense});
    offset_ += *size;
  }
  return true;
}

Report Checker::run() {
  while (offset_ < in_.size()) {
    const std::uint32_t magic = in_.little32(offset_).value_or(0);
    if (magic == kMagic) {
      if (!check_frame()) return report_;
    } else if (magic == kOldMagic) {
      if (!check_old_frame()) return report_;
    } else if ((magic & ~15U) == kSkippable && offset_ > 0) {
      offset_ += 8 + std::uint64_t{in_.little32(offset_ + 4).value_or(0)};
      if (offset_ > in_.size()) return broken(in_.size(), "the file ends within a frame");
    } else {
      add_stretch(report_.stretches, {{offset_, in_.size() - offset_}, Density::kPlain});
      break;
    }
  }
  return report_;
}

}  // namespace

bool recognise(Window& in) {
  const auto magic = in.little32(0);
  return magic == kMagic || magic == kOldMagic;
}

Report check(Window& in, Budget& budget) { return Checker(in, budget).run(); }

}  // namespace kura::detect::lz4
