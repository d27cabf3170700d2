// Stored objects of each kind with fixed contents, and what every decoder must refuse.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "archive/format/config.h"
#include "archive/format/entry.h"
#include "archive/format/index.h"
#include "archive/format/key_object.h"
#include "archive/format/lease.h"
#include "archive/format/snapshot.h"

namespace kura::archive::test {

inline base::Key key_of(std::uint8_t byte) { return base::Key(base::Bytes(32, byte)); }
inline base::Digest digest_of(std::uint8_t byte) { return base::Digest::from_bytes(base::Bytes(32, byte)); }

inline const base::Key kSigningSeed = key_of(0x51);
inline const base::Key kMachineSeed = key_of(0x52);
inline const base::Key kCatalogKey = key_of(0x53);
inline const base::Key kRecovery = key_of(0x54);

inline RepositoryId sample_repository() {
  RepositoryId id;
  id.fill(0xaa);
  return id;
}

inline Config sample_config() {
  Config config;
  config.naming = ChunkNaming::kWhole;  // so that it is of version 1
  config.files.algorithm = config.listings.algorithm = kGearChunks;
  config.repository = sample_repository();
  config.created = 1'700'000'000'123'456'789;
  config.box_key = crypto::x25519_public(key_of(0x50));
  config.signing_key = crypto::ed25519_public(kSigningSeed);
  return config;
}

inline MachineCertificate sample_certificate() {
  return {.config = digest_of(0xc0), .created = -5, .label = "host", .machine = crypto::ed25519_public(kMachineSeed)};
}

inline PackRecord sample_record() {
  PackRecord record;
  record.frames.push_back({.sealed_size = 1500 + 16,
                           .compression = Compression::kNone,
                           .chunks = {{.id = digest_of(1), .size = 1000}, {.id = digest_of(2), .size = 500}}});
  record.frames.push_back(
      {.sealed_size = 300, .compression = Compression::kZstd, .chunks = {{.id = digest_of(3), .size = 16U << 20}}});
  return record;
}

inline PackHeader sample_header() {
  PackHeader header;
  header.aead = crypto::AeadKind::kChaCha20Poly1305;
  header.content = Content::kListing;
  header.repository = sample_repository();
  header.salt.fill(0xbb);
  header.session.fill(0xdd);
  return header;
}

inline Index sample_index() {
  const PackRecord record = sample_record();
  PackRecord small;
  small.frames.push_back(record.frames[1]);
  return {.repository = sample_repository(),
          .packs = {{.id = digest_of(0x10), .size = record.pack_size(), .record = record},
                    {.id = digest_of(0x11), .size = small.pack_size(), .record = small}}};
}

inline SnapshotLabel sample_label() {
  return {.root = {.depth = 1, .ids = {digest_of(4), digest_of(5)}},
          .host = "host",
          .user = "user",
          .paths = {"/a", "/b\xff"},
          .tags = {"daily"},
          .ended = 77,
          .counts = {.files = 1, .folders = 2, .others = 3, .bytes = 400, .failed = 5},
          .verdict = Verdict::kSuspect,
          .evidence = {},
          .suspicion = {}};
}

inline Snapshot sample_snapshot() {
  Snapshot snapshot;
  snapshot.repository = sample_repository();
  snapshot.machine = crypto::ed25519_public(kMachineSeed);
  snapshot.number = 2;
  snapshot.before = digest_of(0x20);
  snapshot.series.fill(0xee);
  snapshot.started = 66;
  snapshot.needs = {{.index = digest_of(0x21), .bits = {0x03}}, {.index = digest_of(0x22), .bits = {}}};
  snapshot.label = sample_label();
  return snapshot;
}

inline Entry sample_file() {
  Entry entry;
  entry.type = EntryType::kFile;
  entry.name = "report\xff.txt";
  entry.mode = 0644;
  entry.uid = 1000;
  entry.gid = 4294967295U;
  entry.mtime_seconds = -1;
  entry.mtime_nanoseconds = 999'999'999;
  entry.size = 5000;
  entry.content = {.depth = 0, .ids = {digest_of(6)}};
  entry.user = "ann";
  entry.group = "staff";
  entry.hard_link = {{7, 8}};
  entry.xattrs = {{"user.a", "1"}, {"user.b", std::string("\0x", 2)}};
  entry.extents = {{{.gap = 0, .size = 10}, {.gap = 4000, .size = 990}}};
  return entry;
}

template <typename T>
void expect_error(const base::Result<T>& result, base::ErrorCode code, std::string_view says = {}) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(base::name_of(result.error().code()), base::name_of(code)) << result.error().text();
  EXPECT_TRUE(result.error().message().contains(says)) << result.error().text();
}

using DecodeStatus = std::function<base::Status(base::ByteSpan)>;

// For any object: other versions by number, another magic, every shorter form, a byte too many. `limit`: of its kind.
inline void expect_object_refusals(const base::Bytes& object, std::uint64_t limit, const DecodeStatus& decode) {
  ASSERT_TRUE(decode(object).has_value());
  base::Bytes other = object;
  other[8] = 0x34;
  other[9] = 0x12;
  expect_error(decode(other), base::ErrorCode::kUnsupported, "version 4660");
  other = object;
  other[0] ^= 0x20;
  expect_error(decode(other), base::ErrorCode::kDamaged, "begin with KURA");
  for (std::size_t size = 0; size < object.size(); ++size) {
    EXPECT_FALSE(decode(base::ByteSpan(object).first(size)).has_value()) << size;
  }
  other = object;
  other.push_back(0);
  expect_error(decode(other), base::ErrorCode::kDamaged);
  other.resize(limit + 1);
  expect_error(decode(other), base::ErrorCode::kDamaged, "are the most");
}

// For signed and sealed objects: any changed bit.
inline void expect_every_bit_guarded(const base::Bytes& object, const DecodeStatus& decode) {
  for (std::size_t bit = 0; bit < 8 * object.size(); ++bit) {
    base::Bytes changed = object;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_FALSE(decode(changed).has_value()) << bit;
  }
}

// A decoder's answer without its value.
template <typename T>
base::Status status_of(const base::Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

}  // namespace kura::archive::test
