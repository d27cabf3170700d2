// Makes a repository large without the data: index objects of made-up chunks in sparse pack files, and snapshots that
// differ only in their numbers. Measures what opening it costs. Called by bench/scale_index.py.
//
//   kura_synthetic_bench STATE REPOSITORY chunks COUNT [IN A PACK]   in indexes of 200,000, needed by one more snapshot
//   kura_synthetic_bench STATE REPOSITORY snapshots COUNT            like the last one; prints ms each of putting them
//   kura_synthetic_bench STATE REPOSITORY open LOOK-UPS              as a backup does: prints a line of JSON
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "archive/backup/index_writer.h"
#include "archive/backup/write_session.h"
#include "archive/repo/chunk_index.h"
#include "crypto/random.h"
#include "need.h"

namespace {

using namespace kura;           // NOLINT(google-build-using-namespace): a program of one file
using namespace kura::archive;  // NOLINT(google-build-using-namespace): a program of one file

constexpr std::size_t kMostInPack = 1600;  // of 20 KiB: 32 MiB
constexpr std::uint32_t kChunkSize = 20 << 10;

IndexedPack made_up_pack(std::size_t chunks) {
  IndexedPack pack;
  crypto::fill_random(pack.id.bytes);
  for (std::size_t i = 0; i < chunks; ++i) {
    if (i % 16 == 0)
      pack.record.frames.push_back({.sealed_size = 200'000, .compression = Compression::kZstd, .chunks = {}});
    ChunkEntry chunk{.id = {}, .size = kChunkSize};
    crypto::fill_random(chunk.id.bytes);
    pack.record.frames.back().chunks.push_back(chunk);
  }
  pack.size = pack.record.pack_size();
  return pack;
}

// A file of the right name and size that takes no room.
void put_sparse(const Repository& repository, const IndexedPack& pack) {
  const std::string folder = repository.store().describe() + "/packs/" + pack.id.hex().substr(0, 2);
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/" + pack.id.hex();
  std::ofstream(path).close();
  std::filesystem::resize_file(path, pack.size);
}

void put_snapshot(const Repository& repository, Snapshot snapshot, std::uint64_t number) {
  snapshot.repository = repository.config().repository;
  snapshot.machine = repository.machine()->public_key();
  snapshot.number = number;
  snapshot.before = {};
  if (number > 1) crypto::fill_random(snapshot.before.bytes);
  need(repository.put(store::Kind::kSnapshot,
                      snapshot.encode(crypto::preferred_aead(), repository.write_secrets()->catalog,
                                      repository.machine()->signing_seed)));
}

Snapshot last_snapshot(const Repository& repository) {
  const SnapshotList list = need(repository.snapshots());
  if (!list.snapshots.empty()) return list.snapshots.back().snapshot;
  Snapshot snapshot;
  snapshot.label.emplace();
  snapshot.label->host = "host";
  snapshot.label->paths = {"/data"};
  return snapshot;
}

void add_chunks(const Repository& repository, std::size_t count, std::size_t in_pack) {
  IndexWriter indexes(repository);
  for (std::size_t left = count; left > 0;) {
    const std::size_t chunks = std::min(left, in_pack);
    IndexedPack pack = made_up_pack(chunks);
    put_sparse(repository, pack);
    need(indexes.add(std::move(pack), true));
    left -= chunks;
  }
  Snapshot snapshot = last_snapshot(repository);
  for (const WrittenIndex& index : need(indexes.finish())) snapshot.needs.push_back(index.needs);
  put_snapshot(repository, snapshot, snapshot.number + 1);
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void add_snapshots(const Repository& repository, std::uint64_t count) {
  const Snapshot last = last_snapshot(repository);
  for (std::uint64_t i = 1; i <= count; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    put_snapshot(repository, last, last.number + i);
    std::printf("%s%.3f", i == 1 ? "[" : ", ", seconds_since(begin) * 1000);
  }
  std::printf("]\n");
}

// Of /proc/self/status, in KiB.
long status_kib(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field + ":")) return std::strtol(line.c_str() + field.size() + 1, nullptr, 10);
  }
  return 0;
}

void open_as_backup(const Repository& repository, std::size_t look_ups) {
  const long before = status_kib("VmRSS");
  const auto begin = std::chrono::steady_clock::now();
  const auto session = need(WriteSession::open(repository, LeasePurpose::kBackup, /*with_lease=*/false, {}));
  const double opened = seconds_since(begin);
  const long after_open = status_kib("VmRSS");
  // A sample of what is known, spread over all of it.
  std::vector<ChunkId> ids;
  const std::size_t every =
      std::max<std::size_t>(1, session->known().chunk_count() / std::max<std::size_t>(look_ups, 1));
  if (look_ups != 0) {
    std::size_t number = 0;
    session->known().each_chunk([&](const ChunkId& id, const ChunkPlace&) {
      if (number++ % every == 0) ids.push_back(id);
    });
  }
  std::shuffle(ids.begin(), ids.end(), std::mt19937_64(1));
  const auto looking = std::chrono::steady_clock::now();
  std::size_t found = 0;
  for (const ChunkId& id : ids) found += session->known().find(id).has_value() ? 1U : 0U;
  const double looked = seconds_since(looking);
  const long at_end = status_kib("VmRSS") - static_cast<long>(ids.size() * sizeof(ChunkId) / 1024);
  std::printf(
      "{\"chunks\": %zu, \"open_seconds\": %.4f, \"open_kib\": %ld, \"look_ups\": %zu, \"found\": %zu, "
      "\"look_up_ns\": %.0f, \"end_kib\": %ld, \"peak_kib\": %ld}\n",
      session->known().chunk_count(), opened, after_open - before, ids.size(), found,
      ids.empty() ? 0 : looked * 1e9 / static_cast<double>(ids.size()), at_end - before, status_kib("VmHWM") - before);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) {
    std::fprintf(stderr, "usage: %s STATE REPOSITORY chunks|snapshots|open COUNT [IN A PACK]\n", argv[0]);
    return 2;
  }
  const std::string what = argv[3];
  const std::size_t count = std::strtoull(argv[4], nullptr, 10);
  const std::size_t in_pack = argc == 6 ? std::strtoull(argv[5], nullptr, 10) : kMostInPack;
  std::shared_ptr<store::Store> store = need(store::open_store(argv[2], {.state_folder = argv[1]}));
  const Repository repository = need(Repository::open(std::move(store), argv[1]));
  if (what == "chunks") add_chunks(repository, count, in_pack);
  if (what == "snapshots") add_snapshots(repository, count);
  if (what == "open") open_as_backup(repository, count);
  return 0;
}
