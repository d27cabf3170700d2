#include "archive/backup/pack_uses.h"

#include <string_view>

#include "archive/repo/cache_file.h"
#include "base/codec.h"
#include "crypto/hash.h"
#include "store/file_system.h"

namespace kura::archive {
namespace {

constexpr std::string_view kUsesMagic = "KURAUSES";
constexpr std::uint16_t kUsesVersion = 1;
constexpr std::size_t kDigest = sizeof(base::Digest);
constexpr std::size_t kLeastUse = kDigest + 3;
constexpr std::uint64_t kLargestUses = 1ULL << 30;  // bytes: 20 million packs

}  // namespace

base::Bytes encode_pack_uses(const PackUses& uses, const store::ObjectId& config) {
  base::Encoder out;
  out.raw(base::as_bytes(kUsesMagic)).u16(kUsesVersion).raw(config.span()).raw(uses.snapshot.span());
  out.varint(uses.packs.size());
  for (const PackUse& use : uses.packs) {
    out.raw(use.pack.span()).varint(use.used).varint(use.bytes).zigzag(use.since);
  }
  out.raw(crypto::sha256(out.bytes()).span());
  return out.take();
}

std::optional<PackUses> decode_pack_uses(base::ByteSpan file, const store::ObjectId& config) {
  if (file.size() < kDigest) return {};
  const base::ByteSpan body = file.first(file.size() - kDigest);
  if (crypto::sha256(body) != base::Digest::from_bytes(file.last(kDigest))) return {};
  base::Decoder in(body);
  if (base::as_text(in.raw(kUsesMagic.size())) != kUsesMagic || in.u16() != kUsesVersion || in.digest() != config)
    return {};
  PackUses uses;
  uses.snapshot = in.digest();
  uses.packs.resize(in.count(kLeastUse));
  for (PackUse& use : uses.packs) {
    use.pack = in.digest();
    use.used = in.varint();
    use.bytes = in.varint();
    use.since = in.zigzag();
    if (use.used > use.bytes) in.fail("more is used than there is");
  }
  if (!in.ok() || !in.at_end()) return {};
  return uses;
}

std::optional<PackUses> load_pack_uses(const std::string& path, const store::ObjectId& config) {
  const base::Result<base::Bytes> file = store::posix_file_system().read_all(path, kLargestUses);
  return file ? decode_pack_uses(*file, config) : std::nullopt;
}

void save_pack_uses(const std::string& path, const PackUses& uses, const store::ObjectId& config) {
  const base::Bytes file = encode_pack_uses(uses, config);
  const base::ByteSpan parts[] = {file};
  static_cast<void>(write_cache_file(path, parts));  // lost, it is made again by the next backup
}

}  // namespace kura::archive
