#include "detect/images/jpeg_huffman.h"

#include <algorithm>

namespace kura::detect::jpeg {

bool Bits::more() {
  constexpr std::size_t kPiece = 64U << 10;
  if (offset_ >= end_) return false;
  const base::ByteSpan view =
      in_->at(offset_, static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, end_ - offset_)));
  view_ = view.data();
  next_ = 0;
  size_ = view.size();
  offset_ += size_;
  return size_ > 0;
}

void Bits::fill() {
  while (held_ <= 56) {
    std::uint8_t byte = 0xFF;
    if (!at_marker_ && (next_ < size_ || more())) {
      byte = view_[next_];
      if (byte == 0xFF) {
        // A marker may lie across two views: look it up by its offset.
        const std::uint64_t here = offset_ - size_ + next_;
        if (next_ + 1 == size_) {
          offset_ = here;
          next_ = size_ = 0;
          if (!more()) size_ = 0;
        }
        if (next_ + 1 < size_ && view_[next_ + 1] == 0) {
          ++next_;
        } else if (next_ + 1 < size_ && view_[next_ + 1] == 0xFF) {
          ++next_;  // a fill byte
          continue;
        } else {
          at_marker_ = true;
        }
      }
      if (!at_marker_) ++next_;
    } else {
      at_marker_ = true;
    }
    if (at_marker_) made_up_ += 8;
    bits_ |= static_cast<std::uint64_t>(at_marker_ ? 0xFF : byte) << (56 - held_);
    held_ += 8;
  }
  // Enough to tell that it ran out, and no overflow.
  if (made_up_ > 1024) made_up_ = 1024;
}

std::uint64_t Bits::left() {
  if (ran_out()) return 0;
  std::uint64_t bytes = (held_ - made_up_) / 8;
  while (!at_marker_) {
    bits_ = 0;
    held_ = made_up_ = 0;
    fill();
    bytes += (held_ - made_up_) / 8;
  }
  return bytes;
}

bool Bits::restart() {
  if (!at_marker_ || next_ + 1 >= size_) return false;
  const std::uint8_t marker = view_[next_ + 1];
  if (marker < 0xD0 || marker > 0xD7) return false;
  next_ += 2;
  bits_ = 0;
  held_ = made_up_ = 0;
  at_marker_ = false;
  return true;
}

bool Huffman::build(base::ByteSpan counts, base::ByteSpan symbols) {
  built_ = false;
  quick_.fill(0);
  std::uint32_t code = 0;
  std::size_t index = 0;
  for (unsigned length = 1; length <= 16; ++length) {
    const std::uint32_t count = counts[length - 1];
    if (index + count > symbols.size() || index + count > 256 || code + count > (1U << length)) return false;
    first_[length] = code;
    index_[length] = static_cast<std::uint16_t>(index);
    limit_[length] = (code + count) << (16 - length);
    for (std::uint32_t i = 0; i < count; ++i, ++index, ++code) {
      symbols_[index] = symbols[index];
      if (length > kQuick) continue;
      const std::uint32_t from = code << (kQuick - length);
      const auto entry = static_cast<std::uint16_t>(length << 8U | symbols[index]);
      std::fill_n(quick_.begin() + from, 1U << (kQuick - length), entry);
    }
    code <<= 1U;
  }
  built_ = index > 0;
  return built_;
}

int Huffman::take_long(Bits& bits, std::uint32_t look) const {
  for (unsigned length = kQuick + 1; length <= 16; ++length) {
    if (look >= limit_[length]) continue;
    const std::uint32_t code = look >> (16 - length);
    if (code < first_[length]) return -1;
    bits.skip(length);
    return symbols_[(index_[length] + (code - first_[length])) & 0xFF];
  }
  return -1;
}

}  // namespace kura::detect::jpeg
