#include "store/atomic_file.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "crypto/random.h"

namespace kura::store {
namespace {

constexpr std::size_t kRandomBytes = 8;

base::Status write_and_rename(FileSystem& files, FileSystem::File& file, const std::string& temporary,
                              const std::string& path, std::span<const base::ByteSpan> parts,
                              std::optional<std::int64_t> modified) {
  for (const base::ByteSpan part : parts) KURA_TRY(file.write(part));
  if (modified) KURA_TRY(file.set_modified(*modified));
  KURA_TRY(file.sync());
  return files.rename(temporary, path);
}

}  // namespace

std::string temporary_name() {
  return fmt::format("{}-{}", ::getpid(), base::to_hex(crypto::random_bytes(kRandomBytes)));
}

bool is_temporary_name(std::string_view name) {
  const std::size_t dash = name.find('-');
  if (dash == std::string_view::npos || dash == 0 || name.size() - dash - 1 != 2 * kRandomBytes) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return std::ranges::all_of(name.substr(0, dash), is_digit) && base::from_hex(name.substr(dash + 1)).has_value();
}

base::Status write_atomically(FileSystem& files, const std::string& temporary, const std::string& path,
                              std::span<const base::ByteSpan> parts, std::optional<std::int64_t> modified) {
  const std::unique_ptr<FileSystem::File> file = KURA_TRY(files.create(temporary));
  base::Status status = write_and_rename(files, *file, temporary, path, parts, modified);
  // The first failure is the one to tell; a temporary that stays behind is swept later.
  if (!status) [[maybe_unused]]
    const base::Status removed = files.remove(temporary);
  return status;
}

base::Status write_small_file(const std::string& path, base::ByteSpan bytes) {
  const base::ByteSpan parts[] = {bytes};
  return write_atomically(posix_file_system(), path + "." + temporary_name(), path, parts);
}

}  // namespace kura::store
