// Snapshot objects: signed, chained, and the packs they need in clear (docs/format.md, section 7).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/content.h"
#include "archive/format/pack.h"
#include "detect/incident/change_ledger.h"

namespace kura::archive {

using Series = std::array<std::uint8_t, 16>;

// The packs of one index that a snapshot needs.
struct NeededPacks {
  store::ObjectId index;
  std::vector<std::uint8_t> bits;  // bit k, least significant first: pack k of the index

  friend bool operator==(const NeededPacks&, const NeededPacks&) = default;
  bool has(std::size_t pack) const { return pack / 8 < bits.size() && (bits[pack / 8] >> (pack % 8) & 1) != 0; }
  void add(std::size_t pack);                       // grows `bits`
  void add(const std::vector<std::uint8_t>& more);  // all that are set there
  // Whether no bit is set, and no byte is there, beyond the packs of an index that has `packs` of them.
  bool fits(std::size_t packs) const;
};

enum class Verdict : std::uint8_t { kUnjudged = 0, kClean = 1, kSuspect = 2, kAttacked = 3 };
std::string_view name_of(Verdict verdict);  // "unjudged", "clean", "suspect", "attacked"

struct SnapshotCounts {
  std::uint64_t files = 0, folders = 0, others = 0;
  std::uint64_t bytes = 0;   // of files, as a user sees them
  std::uint64_t failed = 0;  // entries that could not be read

  friend bool operator==(const SnapshotCounts&, const SnapshotCounts&) = default;
};

// Sealed under the catalog key: the machine and the recovery key read it.
struct SnapshotLabel {
  ContentRef root;  // of the listing of "/"
  std::string host;
  std::string user;
  std::vector<std::string> paths;  // absolute, sorted, any bytes
  std::vector<std::string> tags;
  std::int64_t ended = 0;  // ns since 1970, machine's time
  SnapshotCounts counts;
  Verdict verdict = Verdict::kUnjudged;
  std::vector<std::string> evidence;  // for the verdict, in words; at most kEvidenceLimit
  detect::Suspicion suspicion;        // what the next backup of the series goes on from

  static constexpr std::size_t kEvidenceLimit = 32;

  friend bool operator==(const SnapshotLabel&, const SnapshotLabel&) = default;
  // The text that is sealed into the snapshot.
  void encode(base::Encoder& out) const;
  static SnapshotLabel decode(base::Decoder& in);  // to the end of `in`; fails through it
};

struct Snapshot {
  RepositoryId repository{};
  crypto::PublicKey machine{};
  std::uint64_t number = 0;
  store::ObjectId before;  // zero: none
  Series series{};
  std::int64_t started = 0;  // ns since 1970, machine's time: a label, nobody's proof
  std::vector<NeededPacks> needs;
  std::optional<SnapshotLabel> label;  // nothing when read without the catalog key

  // `label` must be there. `machine_seed` is the private half of `machine`.
  base::Bytes encode(crypto::AeadKind aead, const base::Key& catalog_key, const base::Key& machine_seed) const;
  // Checks the signature against the machine key inside; whether that machine has a certificate is the caller's
  // question. With catalog_key null the label is not opened.
  static base::Result<Snapshot> decode(base::ByteSpan object, const base::Key* catalog_key);
};

// Equal for backups of the same paths of the same host; tells nothing to others.
Series series_of(const base::Key& series_key, std::string_view host, std::vector<std::string> paths);

}  // namespace kura::archive
