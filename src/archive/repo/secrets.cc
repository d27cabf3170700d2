#include "archive/repo/secrets.h"

#include <string_view>

#include "base/codec.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

base::Key derive_key(const base::Key& from, const RepositoryId& repository, std::string_view info) {
  return crypto::hkdf_key(from.span(), repository, info);
}

}  // namespace

WriteSecrets WriteSecrets::derive(const base::Key& write, const RepositoryId& repository) {
  return {.write = write,
          .chunk_id = derive_key(write, repository, "kura chunk id v1"),
          .catalog = derive_key(write, repository, "kura catalog v1"),
          .series = derive_key(write, repository, "kura series v1")};
}

std::array<std::uint64_t, 256> WriteSecrets::gear_table(const RepositoryId& repository) const {
  std::array<std::uint64_t, 256> table{};
  base::Bytes bytes = crypto::hkdf(write.span(), repository, base::as_bytes("kura gear v1"), sizeof table);
  base::Decoder in(bytes);
  for (std::uint64_t& value : table) value = in.u64();
  explicit_bzero(bytes.data(), bytes.size());
  return table;
}

RecoverySecrets RecoverySecrets::derive(const base::Key& recovery, const RepositoryId& repository) {
  return {.recovery = recovery,
          .box = derive_key(recovery, repository, "kura box v1"),
          .signing = derive_key(recovery, repository, "kura sign v1"),
          .write = WriteSecrets::derive(derive_key(recovery, repository, "kura write v1"), repository)};
}

}  // namespace kura::archive
