#include "detect/input/window.h"

#include <algorithm>

namespace kura::detect {

base::ByteSpan Window::at(std::uint64_t offset, std::size_t length) {
  length = std::min(length, kMost);
  const std::uint64_t size = input_->size();
  if (error_ || offset >= size) return {};
  length = static_cast<std::size_t>(std::min<std::uint64_t>(length, size - offset));
  const bool held = offset >= start_ && offset - start_ <= filled_ && filled_ - (offset - start_) >= length;
  if (!held) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(std::max(length, kAhead), size - offset));
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    filled_ = 0;
    start_ = offset;
    const auto got = input_->read(offset, base::MutableByteSpan(buffer_).first(wanted));
    if (!got) {
      error_ = got.error();
      return {};
    }
    filled_ = *got;
    length = std::min(length, filled_);
  }
  return base::ByteSpan(buffer_).subspan(static_cast<std::size_t>(offset - start_), length);
}

std::optional<base::ByteSpan> Window::whole(std::uint64_t offset, std::size_t length) {
  const base::ByteSpan bytes = at(offset, length);
  if (bytes.size() < length) return std::nullopt;
  return bytes;
}

namespace {

template <typename Number>
std::optional<Number> little_at(Window& in, std::uint64_t offset) {
  const base::ByteSpan bytes = in.at(offset, sizeof(Number));
  if (bytes.size() < sizeof(Number)) return std::nullopt;
  return little<Number>(bytes);
}

template <typename Number>
std::optional<Number> big_at(Window& in, std::uint64_t offset) {
  const base::ByteSpan bytes = in.at(offset, sizeof(Number));
  if (bytes.size() < sizeof(Number)) return std::nullopt;
  return big<Number>(bytes);
}

}  // namespace

std::optional<std::uint8_t> Window::byte(std::uint64_t offset) { return little_at<std::uint8_t>(*this, offset); }
std::optional<std::uint16_t> Window::little16(std::uint64_t offset) { return little_at<std::uint16_t>(*this, offset); }
std::optional<std::uint32_t> Window::little32(std::uint64_t offset) { return little_at<std::uint32_t>(*this, offset); }
std::optional<std::uint64_t> Window::little64(std::uint64_t offset) { return little_at<std::uint64_t>(*this, offset); }
std::optional<std::uint16_t> Window::big16(std::uint64_t offset) { return big_at<std::uint16_t>(*this, offset); }
std::optional<std::uint32_t> Window::big32(std::uint64_t offset) { return big_at<std::uint32_t>(*this, offset); }
std::optional<std::uint64_t> Window::big64(std::uint64_t offset) { return big_at<std::uint64_t>(*this, offset); }

}  // namespace kura::detect
