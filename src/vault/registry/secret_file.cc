#include "vault/registry/secret_file.h"

#include <sys/stat.h>

#include <cerrno>

#include <fmt/format.h>

#include "store/atomic_file.h"

namespace kura::vault {
namespace {

constexpr std::uint64_t kLimit = 64U << 10;  // bytes

}  // namespace

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

Status write_secret(const std::string& path, std::string_view text) {
  return store::write_small_file(path, base::as_bytes(text));
}

// Of a file that nobody else may read.
Result<std::string> read_secret(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return base::fail(Error::from_errno("cannot read " + path, errno));
  if ((status.st_mode & 077) != 0) {
    return base::fail(ErrorCode::kDenied, fmt::format("others may read {}", path),
                      fmt::format("run `chmod go= {}`, and make a new key if somebody may have read it", path));
  }
  const base::Bytes bytes = KURA_TRY(store::posix_file_system().read_all(path, kLimit));
  return std::string(base::as_text(bytes));
}

Status write_seed(const std::string& path, const base::Key& seed) {
  return write_secret(path, base::to_hex(seed.span()) + "\n");
}

Result<base::Key> read_seed(const std::string& path) {
  const std::string text = KURA_TRY(read_secret(path));
  const auto bytes = base::from_hex(std::string_view(text).substr(0, text.find('\n')));
  if (!bytes || bytes->size() != 32)
    return base::fail(ErrorCode::kDamaged, path + " is no key: that has 64 hex digits");
  return base::Key(*bytes);
}

}  // namespace kura::vault
