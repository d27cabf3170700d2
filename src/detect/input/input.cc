#include "detect/input/input.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kura::detect {

base::Result<std::size_t> MemoryInput::read(std::uint64_t offset, base::MutableByteSpan into) {
  if (offset >= bytes_.size() || into.empty()) return 0;
  const std::size_t count = std::min<std::size_t>(into.size(), bytes_.size() - offset);
  std::memcpy(into.data(), bytes_.data() + offset, count);
  return count;
}

base::Result<std::size_t> FileInput::read(std::uint64_t offset, base::MutableByteSpan into) {
  if (offset >= size_) return 0;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
  std::size_t count = 0;
  while (count < wanted) {
    const ssize_t got = ::pread(file_, into.data() + count, wanted - count, static_cast<off_t>(offset + count));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail(base::Error::from_errno("cannot read " + name_, errno));
    if (got == 0) break;
    count += static_cast<std::size_t>(got);
  }
  return count;
}

}  // namespace kura::detect
