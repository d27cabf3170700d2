#include "archive/format/snapshot.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/format/object_head.h"
#include "archive/format/sealed_part.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

constexpr std::string_view kSnapshotMagic = "KURASNAP";
constexpr std::string_view kTheSnapshot = "the snapshot";
constexpr std::string_view kSnapshotInfo = "kura snapshot v1";
constexpr std::size_t kLeastNeededBytes = 32 + 4;

void encode_needs(base::Encoder& out, const std::vector<NeededPacks>& needs) {
  out.u32(static_cast<std::uint32_t>(needs.size()));
  for (const NeededPacks& needed : needs) {
    out.raw(needed.index.span()).u32(static_cast<std::uint32_t>(needed.bits.size())).raw(needed.bits);
  }
}

std::vector<NeededPacks> decode_needs(base::Decoder& in) {
  const std::uint32_t count = in.u32();
  if (count > in.rest().size() / kLeastNeededBytes) in.fail("it promises more indexes than it has bytes for");
  std::vector<NeededPacks> needs;
  if (in.ok()) needs.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const store::ObjectId index = in.digest();
    const base::ByteSpan bits = in.raw(in.u32());
    needs.push_back({.index = index, .bits = {bits.begin(), bits.end()}});
  }
  return needs;
}

// Where the parts of an object lie that are not kept in a Snapshot.
struct Sealing {
  crypto::AeadKind aead{};
  Salt salt{};
  base::ByteSpan associated;
  base::ByteSpan sealed;
};

Snapshot decode_clear(base::Decoder& in, base::ByteSpan object, Sealing& sealing) {
  Snapshot snapshot;
  sealing.aead = decode_aead(in);
  if (in.u8() != 0) in.fail("a byte that is always zero is not");
  in.copy(snapshot.repository);
  in.copy(snapshot.machine);
  snapshot.number = in.u64();
  snapshot.before = in.digest();
  if (snapshot.number == 0) in.fail("its number is zero");
  if ((snapshot.number == 1) != snapshot.before.is_zero()) in.fail("its number and the one before do not agree");
  in.copy(snapshot.series);
  snapshot.started = in.i64();
  snapshot.needs = decode_needs(in);
  in.copy(sealing.salt);
  const std::uint32_t size = in.u32();
  sealing.associated = object.first(in.position());
  sealing.sealed = in.raw(size);
  return snapshot;
}

base::Result<SnapshotLabel> open_label(const Sealing& sealing, const base::Key& catalog_key) {
  const auto text =
      open_part(sealing.aead, catalog_key, sealing.salt, kSnapshotInfo, sealing.associated, sealing.sealed);
  if (!text) return damaged(kTheSnapshot, "its label does not open");
  base::Decoder in(*text);
  SnapshotLabel label = SnapshotLabel::decode(in);
  KURA_TRY(in.finish("the snapshot's label"));
  return label;
}

}  // namespace

void NeededPacks::add(std::size_t pack) {
  if (bits.size() <= pack / 8) bits.resize(pack / 8 + 1);
  bits[pack / 8] |= static_cast<std::uint8_t>(1U << pack % 8);
}

void NeededPacks::add(const std::vector<std::uint8_t>& more) {
  bits.resize(std::max(bits.size(), more.size()));
  for (std::size_t i = 0; i < more.size(); ++i) bits[i] |= more[i];
}

bool NeededPacks::fits(std::size_t packs) const {
  if (bits.size() > (packs + 7) / 8) return false;
  return packs % 8 == 0 || bits.size() <= packs / 8 || bits.back() >> packs % 8 == 0;
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kUnjudged:
      return "unjudged";
    case Verdict::kClean:
      return "clean";
    case Verdict::kSuspect:
      return "suspect";
    case Verdict::kAttacked:
      return "attacked";
  }
  std::unreachable();
}

base::Bytes Snapshot::encode(crypto::AeadKind aead, const base::Key& catalog_key, const base::Key& machine_seed) const {
  base::Encoder text;
  label.value().encode(text);
  base::Encoder out;
  encode_head(out, kSnapshotMagic);
  out.u8(static_cast<std::uint8_t>(aead)).u8(0).raw(repository).raw(machine).u64(number).raw(before.span());
  out.raw(series).i64(started);
  encode_needs(out, needs);
  const Salt salt = fresh_salt(base::Encoder().raw(out.bytes()).raw(text.bytes()).bytes());
  out.raw(salt).u32(static_cast<std::uint32_t>(text.size() + crypto::kTagSize));
  out.raw(seal_part(aead, catalog_key, salt, kSnapshotInfo, out.bytes(), text.bytes()));
  out.raw(crypto::ed25519_sign(machine_seed, out.bytes()));
  return out.take();
}

base::Result<Snapshot> Snapshot::decode(base::ByteSpan object, const base::Key* catalog_key) {
  base::Decoder in(object);
  KURA_TRY(decode_head(in, kSnapshotMagic, kSnapshotLimit, kTheSnapshot));
  Sealing sealing;
  Snapshot snapshot = decode_clear(in, object, sealing);
  const std::size_t signed_size = in.position();
  const base::ByteSpan signature = in.raw(sizeof(crypto::Signature));
  KURA_TRY(in.finish(kTheSnapshot));
  if (!crypto::ed25519_verify(snapshot.machine, object.first(signed_size), signature)) {
    return damaged(kTheSnapshot, "its signature does not match");
  }
  if (catalog_key != nullptr) snapshot.label = KURA_TRY(open_label(sealing, *catalog_key));
  return snapshot;
}

Series series_of(const base::Key& series_key, std::string_view host, std::vector<std::string> paths) {
  std::ranges::sort(paths);
  base::Encoder message;
  message.string(host);
  for (const std::string& path : paths) message.string(path);
  const base::Digest mac = crypto::HmacSha256(series_key).mac(message.bytes());
  Series series;
  std::copy_n(mac.bytes.begin(), series.size(), series.begin());
  return series;
}

}  // namespace kura::archive
