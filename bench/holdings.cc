// What a vault's own work costs in a large repository: opening, listing, retention, garbage collection, scrubbing.
// Called by bench/vault.py; each but `make` prints a line of JSON.
//
//   kura_holding_bench make STATE REPOSITORY FOLDER SNAPSHOTS PACKS
//       a holding with made-up packs in sparse files, each needed by every snapshot; prints ms a commit
//   kura_holding_bench measure FOLDER DATABASE
//       DATABASE: a file or URL that remembers from one time to the next
//   kura_holding_bench scrub STATE REPOSITORY FOLDER PACKS
//       of a new holding with packs of 32 MiB
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/index.h"
#include "archive/repo/repository.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "need.h"
#include "vault/holding/holding.h"
#include "vault/holding/scrub.h"

namespace {

using namespace kura;           // NOLINT(google-build-using-namespace): a program of one file
using namespace kura::archive;  // NOLINT(google-build-using-namespace): a program of one file
using Clock = std::chrono::steady_clock;
using store::Kind;
using vault::Holding;

constexpr std::size_t kPacksInIndex = 1000;

base::Key seed() { return base::Key(base::Bytes(32, 9)); }

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// Of /proc/self/status, in KiB.
long status_kib(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field + ":")) return std::strtol(line.c_str() + field.size() + 1, nullptr, 10);
  }
  return 0;
}

void introduce(const Repository& repository, Holding& holding) {
  for (const Kind kind : {Kind::kKey, Kind::kConfig}) {
    for (const store::ObjectInfo& info : need(repository.store().list(kind))) {
      need(holding.put(kind, info.id, need(repository.store().get(kind, info.id, 1U << 20)), "bench"));
    }
  }
}

// A file of the right name and size that takes no room.
IndexedPack made_up_pack(const std::string& objects) {
  IndexedPack pack;
  crypto::fill_random(pack.id.bytes);
  ChunkEntry chunk{.id = {}, .size = 20'000};
  crypto::fill_random(chunk.id.bytes);
  pack.record.frames.push_back({.sealed_size = 10'000, .compression = Compression::kZstd, .chunks = {chunk}});
  pack.size = pack.record.pack_size();
  const std::string folder = objects + "/packs/" + pack.id.hex().substr(0, 2);
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/" + pack.id.hex();
  std::ofstream(path).close();
  std::filesystem::resize_file(path, pack.size);
  return pack;
}

NeededPacks add_index(const Repository& repository, Holding& holding, const std::string& objects, std::size_t packs) {
  Index index{.repository = repository.config().repository, .packs = {}};
  NeededPacks needs;
  for (std::size_t k = 0; k < packs; ++k) {
    index.packs.push_back(made_up_pack(objects));
    needs.add(k);
  }
  const base::Bytes object = index.encode(crypto::preferred_aead(), repository.write_secrets()->catalog);
  needs.index = crypto::sha256(object);
  const auto upload = need(holding.upload(Kind::kIndex, needs.index, object.size()));
  need(upload->write(object));
  need(upload->finish());
  return needs;
}

void commit(const Repository& repository, Holding& holding, const std::vector<NeededPacks>& needs,
            std::uint64_t count) {
  Snapshot snapshot;
  snapshot.repository = repository.config().repository;
  snapshot.machine = repository.machine()->public_key();
  snapshot.needs = needs;
  snapshot.label.emplace();
  std::vector<double> times;
  for (snapshot.number = 1; snapshot.number <= count; ++snapshot.number) {
    if (snapshot.number > 1) crypto::fill_random(snapshot.before.bytes);
    snapshot.started = base::now_ns();
    const base::Bytes object = snapshot.encode(crypto::preferred_aead(), repository.write_secrets()->catalog,
                                               repository.machine()->signing_seed);
    const Clock::time_point begin = Clock::now();
    need(holding.commit(crypto::sha256(object), object, "bench"));
    times.push_back(milliseconds_since(begin));
  }
  std::ranges::sort(times);
  std::printf("{\"commit_ms\": %.2f, \"slowest_commit_ms\": %.2f}\n", times[times.size() / 2], times.back());
}

void make(const std::string& state, const std::string& address, const std::string& folder, std::uint64_t snapshots,
          std::size_t packs) {
  const Repository repository = need(Repository::open(need(store::open_store(address)), state));
  std::vector<NeededPacks> needs;
  {
    const auto holding = need(Holding::create(folder, "bench", seed(), base::now_ns));
    introduce(repository, *holding);
    for (std::size_t left = packs; left > 0; left -= std::min(left, kPacksInIndex)) {
      needs.push_back(add_index(repository, *holding, folder + "/objects", std::min(left, kPacksInIndex)));
    }
  }
  const auto holding = need(Holding::open(folder, seed(), base::now_ns));  // knows the packs
  commit(repository, *holding, needs, snapshots);
}

// Beside SHA-256 over memory that the processor's cache has, which is all that a disk of any speed leaves to do.
void scrub(const std::string& state, const std::string& address, const std::string& folder, std::uint64_t packs) {
  constexpr std::size_t kPackSize = 32 << 20;
  const Repository repository = need(Repository::open(need(store::open_store(address)), state));
  const auto holding = need(Holding::create(folder, "bench", seed(), base::now_ns));
  introduce(repository, *holding);
  for (std::uint64_t i = 0; i < packs; ++i) {
    const base::Bytes pack = crypto::random_bytes(kPackSize);
    const store::ObjectId id = crypto::sha256(pack);
    const auto upload = need(holding->upload(Kind::kPack, id, pack.size()));
    need(upload->write(pack));
    need(upload->finish());
    holding->uploaded(Kind::kPack, id, pack.size());
  }
  const base::Bytes piece = crypto::random_bytes(1 << 20);
  vault::Scrub scrub(*holding);
  std::uint64_t bytes = 0;
  const Clock::time_point begin = Clock::now();
  for (vault::Scrub::Step step; !step.ends_round; bytes += step.bytes) step = need(scrub.next());
  const double scrubbing = milliseconds_since(begin);
  const Clock::time_point begin_plain = Clock::now();
  for (std::uint64_t done = 0; done < bytes; done += piece.size()) crypto::sha256(piece);
  const double plain = milliseconds_since(begin_plain);
  std::printf("{\"scrub_mb_s\": %.0f, \"sha256_mb_s\": %.0f, \"damaged\": %zu}\n",
              static_cast<double>(bytes) / scrubbing / 1000, static_cast<double>(bytes) / plain / 1000,
              holding->damage().size());
}

template <typename Work>
void timed(const char* what, const Work& work) {
  const Clock::time_point begin = Clock::now();
  work();
  std::printf("\"%s_ms\": %.1f, ", what, milliseconds_since(begin));
}

void measure(const std::string& folder, const std::string& address) {
  const long before = status_kib("VmRSS");
  const auto database = need(vault::Database::open({.address = address, .seed = seed()}));
  std::unique_ptr<Holding> holding;
  std::printf("{");
  timed("open", [&] { holding = need(Holding::open(folder, seed(), base::now_ns, {.database = database})); });
  const long opened = status_kib("VmRSS");
  std::size_t listed = 0;
  timed("list", [&] {
    for (const Kind kind : {Kind::kSnapshot, Kind::kPack, Kind::kIndex}) listed += need(holding->list(kind)).size();
  });
  timed("expire", [&] { need(holding->expire()); });
  timed("first_collect", [&] { need(holding->collect(std::chrono::hours(24))); });
  timed("collect", [&] { need(holding->collect(std::chrono::hours(24))); });
  timed("remember", [&] { database->settled(std::chrono::minutes(5)); });
  std::printf("\"listed\": %zu, \"open_kib\": %ld, \"end_kib\": %ld, \"peak_kib\": %ld}\n", listed, opened - before,
              status_kib("VmRSS") - before, status_kib("VmHWM"));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "make" && argc == 7) {
    make(argv[2], argv[3], argv[4], std::strtoull(argv[5], nullptr, 10), std::strtoull(argv[6], nullptr, 10));
    return 0;
  }
  if (what == "scrub" && argc == 6) {
    scrub(argv[2], argv[3], argv[4], std::strtoull(argv[5], nullptr, 10));
    return 0;
  }
  if (what == "measure" && argc == 4) {
    measure(argv[2], argv[3]);
    return 0;
  }
  std::fprintf(stderr,
               "usage: %s make STATE REPOSITORY FOLDER SNAPSHOTS PACKS | measure FOLDER DATABASE | "
               "scrub STATE REPOSITORY FOLDER PACKS\n",
               argv[0]);
  return 2;
}
