// Snapshots in clear, as they are and signed anew; and their labels.
#include "archive/format/snapshot.h"

#include "support/fuzz_support.h"

namespace kura {

using archive::Snapshot;
using archive::SnapshotLabel;

namespace {

constexpr std::size_t kMachineOffset = 8 + 2 + 2 + 16;

void try_snapshot(base::ByteSpan object) {
  const base::Key key = fuzz::key_of(2);
  const base::Key seed = fuzz::key_of(1);
  auto snapshot = [&] {
    const fuzz::AllocationWatch watch(object.size());
    return Snapshot::decode(object, nullptr);
  }();
  static_cast<void>(Snapshot::decode(object, &key));
  if (!snapshot || snapshot->machine != crypto::ed25519_public(seed)) return;
  snapshot->label.emplace();
  const auto again = Snapshot::decode(snapshot->encode(crypto::AeadKind::kAes256Gcm, key, seed), &key);
  fuzz::require(again && again->needs == snapshot->needs && again->number == snapshot->number &&
                    again->before == snapshot->before && again->label == snapshot->label,
                "a snapshot reads back");
}

void try_label(base::ByteSpan bytes) {
  base::Decoder in(bytes);
  const SnapshotLabel label = [&] {
    const fuzz::AllocationWatch watch(bytes.size());
    return SnapshotLabel::decode(in);
  }();
  if (!in.ok()) return;
  const base::Bytes first = fuzz::encoded(label);
  base::Decoder again(first);
  const SnapshotLabel back = SnapshotLabel::decode(again);
  fuzz::require(again.ok() && back == label && fuzz::encoded(back) == first, "a label reads back");
}

}  // namespace

void fuzz::snapshot(base::ByteSpan input) {
  const fuzz::FuzzInput part(input, 2);
  if (part.choice == 0) {
    try_snapshot(part.bytes);
    try_snapshot(fuzz::signed_anew(part.bytes, kMachineOffset, fuzz::key_of(1)));
  } else {
    try_label(part.bytes);
  }
}

}  // namespace kura
