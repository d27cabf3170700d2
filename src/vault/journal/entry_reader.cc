#include "vault/journal/entry_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "vault/journal/entry.h"

namespace kura::vault {
namespace {

constexpr std::size_t kReadSize = 1U << 20;

}  // namespace

// Whether `count` bytes are in buffer_ from begin_ on, or can be read there; not when the file ends before.
base::Result<bool> EntryReader::have(std::size_t count) {
  if (buffer_.size() - begin_ >= count) return true;
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
  buffer_at_ += begin_;
  begin_ = 0;
  std::size_t filled = buffer_.size();
  buffer_.resize(std::max(count, kReadSize));
  while (filled < buffer_.size()) {
    const ssize_t got =
        ::pread(fd_, buffer_.data() + filled, buffer_.size() - filled, static_cast<off_t>(buffer_at_ + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail(base::Error::from_errno("cannot read " + path_, errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  buffer_.resize(filled);
  return filled >= count;
}

base::Result<base::ByteSpan> EntryReader::next() {
  if (!KURA_TRY(have(1))) return base::ByteSpan{};
  const auto cut_off = [&] {
    return base::fail(base::ErrorCode::kDamaged,
                      fmt::format("{} ends in the middle of the entry that begins at byte {}", path_, position()));
  };
  if (!KURA_TRY(have(kEntryPrefix))) return cut_off();
  const std::size_t size = KURA_TRY_AS(entry_size(base::ByteSpan(buffer_).subspan(begin_, kEntryPrefix)),
                                       fmt::format("{} at byte {}", path_, position()));
  if (!KURA_TRY(have(size))) return cut_off();
  const base::ByteSpan whole = base::ByteSpan(buffer_).subspan(begin_, size);
  begin_ += size;
  return whole;
}

}  // namespace kura::vault
