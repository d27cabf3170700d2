// RAR 1.5 to 4 (technote of unrar) and RAR 5 (RAR 5.0 archive format): blocks with a checksum of their header, each
// followed by data. Stored data are proven by the checksum of the file; packed data are a dense stretch, as no free
// program unpacks them: damage inside them is missed, unless it hits a header.
#include <algorithm>
#include <optional>

#include "detect/archives/validators.h"
#include "detect/codec/inflate.h"

namespace kura::detect::rar {
namespace {

constexpr std::string_view kMagic4("Rar!\x1A\x07\0", 7);
constexpr std::string_view kMagic5("Rar!\x1A\x07\x01\0", 8);

constexpr std::string_view kCipherText = "a RAR archive with a password";

// A number of seven bits a byte; moves `at` behind it.
std::optional<std::uint64_t> number(base::ByteSpan bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && at < bytes.size(); shift += 7) {
    const std::uint8_t byte = bytes[at++];
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

struct Block {
  std::uint64_t type = 0;
  std::uint64_t flags = 0;
  std::uint64_t data = 0;   // bytes behind the header
  std::uint64_t start = 0;  // of those
  bool stored = false;      // and not encrypted, not split: `crc` is theirs
  bool encrypted = false;
  std::uint32_t crc = 0;
};

class Checker {
 public:
  Checker(Window& in, Budget& budget) : in_(in), budget_(budget) {}
  Report run5();
  Report run4();

 private:
  std::optional<Block> read5(std::uint64_t offset);
  std::optional<Block> read4(std::uint64_t offset);
  bool take(const Block& block);
  Report end(std::uint64_t offset);

  Window& in_;
  Budget& budget_;
  Report report_;
  std::uint64_t encrypted_ = 0;
  std::uint64_t clear_ = 0;
};

// Notes what follows a header; false when the report is its end.
bool Checker::take(const Block& block) {
  if (block.data > in_.size() - block.start) {
    report_ = broken(in_.size(), "the file ends within a block's data");
    return false;
  }
  (block.encrypted ? encrypted_ : clear_) += block.data;
  const Range data{block.start, block.data};
  if (!block.stored) {
    add_stretch(report_.stretches, {data, Density::kDense});
    return true;
  }
  const bool right = crc32(in_, data, budget_) == block.crc;
  if (!right)
    report_ = budget_.spent_out() ? over_budget() : broken(data.offset, "the checksum of a stored file is wrong");
  return right;
}

Report Checker::end(std::uint64_t offset) {
  add_stretch(report_.stretches, {{offset, in_.size() - offset}, Density::kDense});
  if (encrypted_ > clear_) {
    report_.finding = Finding::kCipher;
    report_.evidence = kCipherText;
  }
  return report_;
}

// The fields of a file's header behind its sizes (type 2; 3 is a service's).
void read_file5(base::ByteSpan header, std::size_t at, std::size_t extra, Block& block) {
  const auto flags = number(header, at);
  const auto size = number(header, at);
  if (!flags || !size || !number(header, at)) return;
  if ((*flags & 2) != 0) at += 4;
  if ((*flags & 4) != 0 && at + 4 <= header.size()) {
    block.crc = little<std::uint32_t>(header, at);
    at += 4;
  }
  const auto method = number(header, at);
  // Records of the extra area: type 1 is encryption, and its checksum is then another one.
  std::size_t record = header.size() - std::min(extra, header.size());
  while (record < header.size()) {
    const auto length = number(header, record);
    std::size_t type_at = record;
    if (!length || *length == 0 || *length > header.size() - record) break;
    if (number(header, type_at) == 1) block.encrypted = true;
    record += static_cast<std::size_t>(*length);
  }
  const bool split = (block.flags & 0x18) != 0;
  const bool plain = method && (*method >> 7 & 7) == 0 && (*flags & 4) != 0 && *size == block.data;
  block.stored = plain && !split && !block.encrypted && block.type == 2;
}

std::optional<Block> Checker::read5(std::uint64_t offset) {
  const base::ByteSpan start = in_.at(offset, 8);
  std::size_t at = 4;
  const auto size = start.size() < 6 ? std::nullopt : number(start, at);
  if (!size || *size == 0 || *size > (2U << 20) - 64) return std::nullopt;
  const std::size_t total = at + static_cast<std::size_t>(*size);
  if (total > Window::kMost) return std::nullopt;
  const auto header = in_.whole(offset, total);
  if (!header || !budget_.spend(total)) return std::nullopt;
  if (crc32(header->subspan(4)) != little<std::uint32_t>(*header)) return std::nullopt;
  Block block;
  const auto type = number(*header, at);
  const auto flags = number(*header, at);
  if (!type || !flags) return std::nullopt;
  block.type = *type;
  block.flags = *flags;
  std::uint64_t extra = 0;
  if ((*flags & 1) != 0) extra = number(*header, at).value_or(0);
  if ((*flags & 2) != 0) block.data = number(*header, at).value_or(0);
  block.start = offset + total;
  if (block.type == 2 || block.type == 3) {
    read_file5(*header, at, static_cast<std::size_t>(std::min<std::uint64_t>(extra, total)), block);
  }
  return block;
}

Report Checker::run5() {
  for (std::uint64_t offset = kMagic5.size(); offset < in_.size();) {
    const auto block = read5(offset);
    if (budget_.spent_out()) return over_budget();
    if (!block)
      return broken(offset, "the chain of blocks is broken: a header's checksum is wrong, or the file ends early");
    // All behind this block is encrypted, headers too.
    if (block->type == 4) {
      Report hidden = cipher(std::string(kCipherText));
      add_stretch(hidden.stretches, {{block->start, in_.size() - block->start}, Density::kDense});
      return hidden;
    }
    if (!take(*block)) return report_;
    offset = block->start + block->data;
    if (block->type == 5) return end(offset);
  }
  return broken(in_.size(), "the file ends before the archive's end");
}

std::optional<Block> Checker::read4(std::uint64_t offset) {
  const base::ByteSpan start = in_.at(offset, 11);
  if (start.size() < 7) return std::nullopt;
  Block block;
  block.type = start[2];
  block.flags = little<std::uint16_t>(start, 3);
  const std::size_t size = little<std::uint16_t>(start, 5);
  if (size < 7 || block.type < 0x72 || block.type > 0x7B) return std::nullopt;
  const auto header = in_.whole(offset, size);
  if (!header || !budget_.spend(size)) return std::nullopt;
  const bool file = block.type == 0x74 || block.type == 0x7A;
  // Old comments and the marks of authenticity have checksums of their own kind.
  const bool summed = file || block.type == 0x73 || block.type == 0x7B;
  if (summed && (crc32(header->subspan(2)) & 0xFFFF) != little<std::uint16_t>(*header)) {
    // A comment within the main header is summed apart.
    if (block.type != 0x73 || (block.flags & 2) == 0) return std::nullopt;
  }
  block.start = offset + size;
  if (file || (block.flags & 0x8000) != 0) {
    if (size < 11) return std::nullopt;
    block.data = little<std::uint32_t>(*header, 7);
  }
  if (file && size >= 32) {
    if ((block.flags & 0x100) != 0 && size >= 40) block.data |= std::uint64_t{little<std::uint32_t>(*header, 32)} << 32;
    block.encrypted = (block.flags & 4) != 0;
    block.crc = little<std::uint32_t>(*header, 16);
    block.stored = (*header)[25] == 0x30 && (block.flags & 7) == 0 && block.type == 0x74;
  }
  return block;
}

Report Checker::run4() {
  std::uint64_t offset = kMagic4.size();
  while (offset < in_.size()) {
    const auto block = read4(offset);
    if (budget_.spent_out()) return over_budget();
    if (!block)
      return broken(offset, "the chain of blocks is broken: a header's checksum is wrong, or the file ends early");
    if (block->type == 0x73 && (block->flags & 0x80) != 0) {
      Report hidden = cipher(std::string(kCipherText));
      add_stretch(hidden.stretches, {{block->start, in_.size() - block->start}, Density::kDense});
      return hidden;
    }
    if (!take(*block)) return report_;
    offset = block->start + block->data;
    if (block->type == 0x7B) break;
  }
  // Old archives have no block for their end.
  return end(offset);
}

}  // namespace

bool recognise(Window& in) { return in.has(0, kMagic4) || in.has(0, kMagic5); }

Report check(Window& in, Budget& budget) {
  Checker checker(in, budget);
  return in.has(0, kMagic5) ? checker.run5() : checker.run4();
}

}  // namespace kura::detect::rar
