// A client that was altered by whoever is root on the machine: it has the machine's real certificate and key, and does
// with them what `kura` never would. Used by tests/system/test_vault_attacks.py.
//
//   kura_altered_client STATE ADDRESS junk COUNT     stores snapshots like the newest one, with times that are claimed
//   to
//                                                    be long past, in the future and now, and of ever new series
//   kura_altered_client STATE ADDRESS packs COUNT    commits a snapshot that needs so many packs that are not there
//
// Says how many snapshots were taken.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "archive/repo/repository.h"
#include "base/time.h"
#include "crypto/random.h"

namespace {

using namespace kura;           // NOLINT(google-build-using-namespace): a program of one file
using namespace kura::archive;  // NOLINT(google-build-using-namespace): a program of one file
using store::Kind;

constexpr std::int64_t kDay = 24 * 3600 * base::kSecond;
constexpr std::size_t kPacksInIndex = 1'000'000;

template <typename T>
T need(base::Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().text().c_str());
  std::exit(1);
}

Snapshot newest(const Repository& repository) {
  const SnapshotList list = need(repository.snapshots());
  if (!list.snapshots.empty()) return list.snapshots.back().snapshot;
  std::fprintf(stderr, "there is no snapshot\n");
  std::exit(1);
}

bool put(const Repository& repository, const Snapshot& snapshot) {
  const auto stored =
      repository.put(Kind::kSnapshot, snapshot.encode(crypto::preferred_aead(), repository.write_secrets()->catalog,
                                                      repository.machine()->signing_seed));
  if (!stored) std::fprintf(stderr, "%s\n", stored.error().text().c_str());
  return stored.has_value();
}

std::size_t put_junk(const Repository& repository, std::size_t count) {
  Snapshot snapshot = newest(repository);
  const Series series = snapshot.series;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < count; ++i) {
    ++snapshot.number;
    crypto::fill_random(snapshot.before.bytes);
    const auto days = static_cast<std::int64_t>(i) * 7 / 3;  // at most one in each bucket of a day
    snapshot.started = base::now_ns() + (i % 3 == 0 ? -days * kDay : i % 3 == 1 ? days * kDay : 0);
    snapshot.series = series;
    if (i % 4 == 3) crypto::fill_random(snapshot.series);
    taken += put(repository, snapshot) ? 1U : 0U;
  }
  return taken;
}

std::size_t need_absent_packs(const Repository& repository, std::size_t count) {
  Snapshot snapshot = newest(repository);
  ++snapshot.number;
  crypto::fill_random(snapshot.before.bytes);
  for (std::size_t left = count; left > 0; left -= std::min(left, kPacksInIndex)) {
    Index index{.repository = repository.config().repository, .packs = {}};
    NeededPacks needs;
    for (std::size_t k = 0; k < std::min(left, kPacksInIndex); ++k) {
      IndexedPack pack{.id = {}, .size = 1'000'000, .record = {}};
      crypto::fill_random(pack.id.bytes);
      index.packs.push_back(std::move(pack));
      needs.add(k);
    }
    needs.index =
        need(repository.put(Kind::kIndex, index.encode(crypto::preferred_aead(), repository.write_secrets()->catalog)));
    snapshot.needs.push_back(std::move(needs));
  }
  return put(repository, snapshot) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 5 ? argv[3] : "";
  if (what != "junk" && what != "packs") {
    std::fprintf(stderr, "usage: %s STATE ADDRESS junk|packs COUNT\n", argv[0]);
    return 2;
  }
  const Repository repository =
      need(Repository::open(need(store::open_store(argv[2], {.state_folder = argv[1]})), argv[1]));
  const std::size_t count = std::strtoull(argv[4], nullptr, 10);
  std::printf("%zu\n", what == "junk" ? put_junk(repository, count) : need_absent_packs(repository, count));
  return 0;
}
