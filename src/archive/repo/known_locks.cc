#include "archive/repo/known_locks.h"

#include <string_view>

#include "archive/repo/cache_file.h"
#include "base/codec.h"
#include "crypto/hash.h"
#include "store/file_system.h"

namespace kura::archive {
namespace {

constexpr std::string_view kLocksMagic = "KURALOCK";
constexpr std::uint16_t kLocksVersion = 1;
constexpr std::uint64_t kLargestLocks = 1ULL << 30;  // bytes
constexpr std::size_t kLockSize = sizeof(store::ObjectId::bytes) + sizeof(std::int64_t);
constexpr std::size_t kLocksSumSize = sizeof(base::Digest::bytes);

}  // namespace

KnownLocks KnownLocks::load(const std::string& path) {
  const auto bytes = store::posix_file_system().read_all(path, kLargestLocks);
  if (!bytes || bytes->size() < kLocksSumSize) return {};
  const base::ByteSpan text = base::ByteSpan(*bytes).first(bytes->size() - kLocksSumSize);
  if (crypto::sha256(text) != base::Digest::from_bytes(base::ByteSpan(*bytes).last(kLocksSumSize))) return {};
  base::Decoder decoder(text);
  const bool is_ours = base::as_text(decoder.raw(kLocksMagic.size())) == kLocksMagic && decoder.u16() == kLocksVersion;
  const std::uint64_t count = decoder.u64();
  if (!decoder.ok() || !is_ours || count > text.size() / kLockSize) return {};
  KnownLocks loaded;
  for (std::uint64_t i = 0; i < count; ++i) {
    const store::ObjectId id = decoder.digest();
    loaded.known_.emplace(id, decoder.i64());
  }
  return decoder.ok() ? loaded : KnownLocks{};
}

std::int64_t KnownLocks::until(const store::ObjectId& id) const {
  const auto found = known_.find(id);
  return found == known_.end() ? 0 : found->second;
}

void KnownLocks::set(const store::ObjectId& id, std::int64_t until) {
  if (until == this->until(id)) return;
  known_.insert_or_assign(id, until);
  changed_ = true;
}

void KnownLocks::save(const std::string& path, std::int64_t now) const {
  if (!changed_) return;
  base::Encoder records;
  std::uint64_t count = 0;
  for (const auto& [id, until] : known_) {
    if (until <= now) continue;
    records.raw(id.span()).i64(until);
    ++count;
  }
  base::Encoder text;
  text.raw(base::as_bytes(kLocksMagic)).u16(kLocksVersion).u64(count).raw(records.bytes());
  const base::Digest sum = crypto::sha256(text.bytes());
  const base::ByteSpan parts[] = {text.bytes(), sum.span()};
  static_cast<void>(write_cache_file(path, parts));
}

}  // namespace kura::archive
