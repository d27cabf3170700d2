// bzip2: streams of blocks, each with a checksum and unpacked by itself; a stream ends with the checksum of those. No
// standard but the program; blocks begin at any bit.
//
// libbz2 unpacks some 10 MB of a file a second, so at most kUnpackMost of a file are unpacked, spread over its blocks.
// Of the others only that they are there, and their checksums, which the stream's end repeats, are proven: damage
// inside one is missed, and it is given back as a dense stretch.
#include <bzlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "detect/archives/validators.h"

namespace kura::detect::bzip2 {
namespace {

constexpr std::uint64_t kBlockMagic = 0x314159265359;
constexpr std::uint64_t kEndMagic = 0x177245385090;
constexpr std::uint64_t kMagicMask = (1ULL << 48) - 1;
constexpr std::uint64_t kUnpackMost = 2U << 20;  // bytes of a file, packed
constexpr std::size_t kPiece = 64U << 10;

// Numbers at any bit of the file.
std::optional<std::uint64_t> bits(Window& in, std::uint64_t bit, unsigned count) {
  const base::ByteSpan bytes = in.at(bit / 8, 8);
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  if (bytes.size() * 8 < bit % 8 + count) return std::nullopt;
  value <<= 8 * (8 - bytes.size()) + bit % 8;
  return value >> (64 - count);
}

// Which bytes can be the fourth of a magic, at any of eight alignments: most bytes are none, so the search is quick.
constexpr std::array<bool, 256> kMayBeMagic = [] {
  std::array<bool, 256> may{};
  for (const std::uint64_t magic : {kBlockMagic, kEndMagic}) {
    for (unsigned shift = 0; shift < 8; ++shift) may[(magic >> (16 + shift)) & 0xFF] = true;
  }
  return may;
}();

// The next magic at or after `bit`, a bit; nothing when there is none.
std::optional<std::uint64_t> find_magic(Window& in, std::uint64_t bit, Budget& budget) {
  std::uint64_t from = bit / 8;
  while (from + 6 <= in.size()) {
    const base::ByteSpan bytes = in.at(from, kPiece);
    if (bytes.size() < 6 || !budget.spend(bytes.size())) return std::nullopt;
    for (std::size_t i = 3; i + 2 < bytes.size(); ++i) {
      if (!kMayBeMagic[bytes[i]]) continue;
      for (unsigned shift = 0; shift < 8; ++shift) {
        // The magic's bits 16 to 23 and `shift` more are this byte.
        const std::uint64_t at = (from + i) * 8 - 24 + shift;
        const std::uint8_t first = static_cast<std::uint8_t>(kBlockMagic >> (16 + shift));
        const std::uint8_t second = static_cast<std::uint8_t>(kEndMagic >> (16 + shift));
        if (bytes[i] != first && bytes[i] != second) continue;
        std::uint64_t value = 0;
        for (std::size_t j = i - 3; j < std::min(i + 4, bytes.size()); ++j) value = value << 8 | bytes[j];
        if (i + 4 > bytes.size()) value <<= 8;
        value = value >> (8 - shift) & kMagicMask;
        if ((value == kBlockMagic || value == kEndMagic) && at >= bit) return at;
      }
    }
    if (from + bytes.size() >= in.size()) break;
    from += bytes.size() - 6;
  }
  return std::nullopt;
}

// libbz2's state, for one block.
class Unpacker {
 public:
  Unpacker() { ready_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK; }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker() {
    if (ready_) BZ2_bzDecompressEnd(&stream_);
  }
  // False once it is an error or out of budget; then `code()` says which.
  bool feed(base::ByteSpan bytes, Budget& budget) {
    static thread_local std::array<char, kPiece> out;
    stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));  // libbz2 only reads it
    stream_.avail_in = static_cast<unsigned>(bytes.size());
    do {
      stream_.next_out = out.data();
      stream_.avail_out = static_cast<unsigned>(out.size());
      code_ = ready_ ? BZ2_bzDecompress(&stream_) : BZ_MEM_ERROR;
      if (!budget.spend(kPiece - stream_.avail_out + 1)) code_ = BZ_MEM_ERROR;
    } while (code_ == BZ_OK && (stream_.avail_in > 0 || stream_.avail_out == 0));
    return code_ == BZ_OK;
  }
  int code() const { return code_; }

 private:
  bz_stream stream_{};
  bool ready_ = false;
  int code_ = BZ_OK;
};

// Unpacks the block from bit `start` to `end`, as a stream of its own: header, block, end with the block's checksum.
// BZ_STREAM_END when it is right.
int unpack(Window& in, std::uint64_t start, std::uint64_t end, std::uint32_t crc, Budget& budget) {
  Unpacker unpacker;
  if (!unpacker.feed(base::as_bytes("BZh9"), budget)) return unpacker.code();
  const unsigned shift = start % 8;
  const std::uint64_t count = end - start;
  base::Bytes piece;
  for (std::uint64_t done = 0; done < count / 8;) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, count / 8 - done));
    const base::ByteSpan bytes = in.at(start / 8 + done, want + 1);
    if (bytes.size() < want) return BZ_UNEXPECTED_EOF;
    piece.resize(want);
    for (std::size_t i = 0; i < want; ++i) {
      const unsigned next = i + 1 < bytes.size() ? bytes[i + 1] : 0;
      piece[i] = static_cast<std::uint8_t>((unsigned{bytes[i]} << 8 | next) >> (8 - shift));
    }
    if (!unpacker.feed(piece, budget)) return unpacker.code();
    done += want;
  }
  // The bits that are left over (at most seven), the end's magic and the checksum.
  const unsigned rest = count % 8;
  std::array<std::uint8_t, 11> tail{};
  std::uint64_t at = 0;
  const auto put = [&](std::uint64_t value, unsigned width) {
    while (width-- > 0) {
      tail[at / 8] = static_cast<std::uint8_t>(tail[at / 8] | (value >> width & 1) << (7 - at % 8));
      ++at;
    }
  };
  if (rest > 0) put(bits(in, end - rest, rest).value_or(0), rest);
  put(kEndMagic, 48);
  put(crc, 32);
  unpacker.feed(tail, budget);
  return unpacker.code();
}

bool is_stream(Window& in, std::uint64_t offset) {
  const auto head = in.whole(offset, 10);
  if (!head || !base::as_text(*head).starts_with("BZh") || (*head)[3] < '1' || (*head)[3] > '9') return false;
  const std::uint64_t magic = big<std::uint64_t>(*head, 2) & kMagicMask;
  return magic == kBlockMagic || magic == kEndMagic;
}

}  // namespace

bool recognise(Window& in) { return is_stream(in, 0); }

Report check(Window& in, Budget& budget) {
  Report report;
  std::uint64_t bit = 32;  // of a magic
  std::uint32_t combined = 0;
  std::uint64_t unpacked = 0;
  while (true) {
    const auto magic = bits(in, bit, 48);
    const auto crc = bits(in, bit + 48, 32);
    if (!magic || !crc) return broken(in.size(), "the file ends early");
    if (*magic == kEndMagic) {
      if (*crc != combined) return broken(bit / 8, "the checksum of the stream is wrong");
      const std::uint64_t end = (bit + 80 + 7) / 8;
      if (!is_stream(in, end)) {
        add_stretch(report.stretches, {{end, in.size() - end}, Density::kPlain});
        return report;
      }
      bit = (end + 4) * 8;
      combined = 0;
      continue;
    }
    if (*magic != kBlockMagic) return broken(bit / 8, "a block does not begin where the one before it ends");
    const auto next = find_magic(in, bit + 80, budget);
    if (budget.spent_out()) return over_budget();
    if (!next) return broken(in.size(), "the stream has no end: the file ends early, or its last part is damaged");
    combined = (combined << 1 | combined >> 31) ^ static_cast<std::uint32_t>(*crc);
    const Range packed{bit / 8, (*next + 7) / 8 - bit / 8};
    const double due = static_cast<double>(kUnpackMost) * static_cast<double>(bit / 8) / static_cast<double>(in.size());
    if (in.size() <= kUnpackMost || static_cast<double>(unpacked) <= due) {
      unpacked += packed.size;
      const int code = unpack(in, bit, *next, static_cast<std::uint32_t>(*crc), budget);
      if (budget.spent_out()) return over_budget();
      if (code == BZ_MEM_ERROR) return undecided("there is no memory to unpack it");
      if (code != BZ_STREAM_END) return broken(bit / 8, "a block does not unpack, or its checksum is wrong");
    } else {
      add_stretch(report.stretches, {packed, Density::kDense});
    }
    bit = *next;
  }
}

}  // namespace kura::detect::bzip2
