#include "detect/ciphers/armour.h"

#include <algorithm>
#include <array>

#include "base/escape.h"
#include "detect/ciphers/base64.h"

namespace kura::detect::armour {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";
constexpr std::uint32_t kCrc24Start = 0xB704CE;

// RFC 9580, section 6.1.1.
constexpr std::array<std::uint32_t, 256> kCrc24 = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i << 16;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x800000) != 0 ? 0x1864CFBU : 0U);
    table[i] = crc & 0xFFFFFF;
  }
  return table;
}();

std::uint32_t crc24(base::ByteSpan bytes, std::uint32_t crc) {
  for (const std::uint8_t byte : bytes) crc = (crc << 8 & 0xFFFFFF) ^ kCrc24[crc >> 16 ^ byte];
  return crc;
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return c == ' ' || c == '-' || c == '.' || c == ',' || c == '/' || (c >= '0' && c <= '9') ||
           (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
}

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  return line;
}

// "-----BEGIN LABEL-----": the label, or nothing.
std::string_view label_of(std::string_view line, std::string_view word) {
  line = trimmed(line);
  if (!line.starts_with(word) || !line.ends_with(kDashes) || line.size() < word.size() + kDashes.size()) return {};
  line = line.substr(word.size(), line.size() - word.size() - kDashes.size());
  return is_label(line) ? line : std::string_view{};
}

bool is_header(std::string_view line) {
  const std::size_t colon = line.find(": ");
  const bool ends = line.ends_with(':');
  return (colon != std::string_view::npos && colon > 0 && colon < 64) || (ends && line.size() < 64);
}

class Reader {
 public:
  Reader(Window& in, Budget& budget, Block& block) : in_(in), budget_(budget), block_(block) {}

  bool run(std::uint64_t& offset) {
    block_.label = label_of(next_line(in_, offset), kBegin);
    if (block_.label.empty()) return fail(offset, "the first line is damaged");
    bool head = true;
    bool folded = false;
    while (offset < in_.size()) {
      const std::uint64_t at = offset;
      const std::string_view line = trimmed(next_line(in_, offset));
      if (!budget_.spend(line.size() + 1)) return false;
      if (line.starts_with("-----END ")) return end(at, line);
      if (head && line.empty()) {
        folded = false;
        continue;
      }
      if (head && is_header(line)) {
        if (line.starts_with("Proc-Type:") && line.find("ENCRYPTED") != std::string_view::npos) block_.encrypted = true;
        folded = line.ends_with('\\');
        continue;
      }
      // A comment of several lines (RFC 4716 has such).
      if (head && folded) continue;
      head = false;
      if (!take(at, line)) return false;
    }
    return fail(in_.size(), "the file ends early, before the last line of the block");
  }

 private:
  bool fail(std::uint64_t at, std::string evidence) {
    block_.wrong_at = at;
    block_.evidence = std::move(evidence);
    return false;
  }

  bool take(std::uint64_t at, std::string_view line) {
    piece_.clear();
    if (line.size() == 5 && line[0] == '=' && !summed_) {
      summed_ = true;
      base64::Decoder decoder;
      decoder.feed(line.substr(1), piece_);
      sum_ = piece_.size() == 3 ? static_cast<std::uint32_t>(piece_[0] << 16 | piece_[1] << 8 | piece_[2]) : 0;
      return piece_.size() == 3 || fail(at, "the checksum is none");
    }
    if (summed_ && !line.empty()) return fail(at, "there is more behind the checksum");
    if (!decoder_.feed(line, piece_)) return fail(at, "a line is no Base64");
    crc_ = crc24(piece_, crc_);
    size_ += piece_.size();
    const std::size_t room = std::min(kHeadMost - block_.head.size(), piece_.size());
    block_.head.insert(block_.head.end(), piece_.begin(), piece_.begin() + static_cast<std::ptrdiff_t>(room));
    return true;
  }

  bool end(std::uint64_t at, std::string_view line) {
    if (label_of(line, "-----END ") != block_.label) return fail(at, "the last line is not that of the first");
    if (!decoder_.ends_well()) return fail(at, "the Base64 ends early");
    if (summed_ && sum_ != crc_) return fail(at, "the checksum of " + base::printable(block_.label) + " is wrong");
    block_.whole = size_ == block_.head.size();
    return true;
  }

  Window& in_;
  Budget& budget_;
  Block& block_;
  base64::Decoder decoder_;
  base::Bytes piece_;
  std::uint64_t size_ = 0;
  std::uint32_t crc_ = kCrc24Start;
  std::uint32_t sum_ = 0;
  bool summed_ = false;
};

}  // namespace

std::string_view next_line(Window& in, std::uint64_t& offset) {
  std::string_view text = base::as_text(in.at(offset, 1024));
  std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    text = base::as_text(in.at(offset, 64U << 10));
    end = text.find('\n');
  }
  // Lines may end in a carriage return alone.
  const std::size_t carriage = text.substr(0, end).find('\r');
  if (carriage != std::string_view::npos && carriage + 1 < std::min(end, text.size())) end = carriage;
  if (end == std::string_view::npos) {
    offset += text.size();
    return text;
  }
  offset += end + 1;
  return text.substr(0, end);
}

bool begins(Window& in, std::uint64_t offset) { return !label_of(next_line(in, offset), kBegin).empty(); }

bool read(Window& in, std::uint64_t& offset, Budget& budget, Block& block) {
  return Reader(in, budget, block).run(offset);
}

}  // namespace kura::detect::armour
