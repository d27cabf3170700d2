// Chunkers beside each other: speed on one core, and what they find of one file in the next day's version of it.
// `bench/chunkers.py` makes the files, calls this, and prints the table of docs/performance.md.
//
//   kura_chunker_bench FILE OF_DAY_2      a line of JSON for each chunker and size
//
// Besides kura's own: AE (Zhang et al., "AE: An Asymmetric Extremum Content Defined Chunking Algorithm", INFOCOM 2015)
// and RAM (Widodo et al., "A new content-defined chunking algorithm for data deduplication in cloud storage", FGCS
// 2017), which look for a largest value instead of a hash.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <unordered_map>
#include <vector>

#include "archive/backup/chunker.h"
#include "archive/repo/secrets.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

using Cuts = std::vector<std::size_t>;  // the sizes of the chunks
using Cut = std::function<std::size_t(base::ByteSpan rest)>;

Cuts cut_all(base::ByteSpan stream, const Cut& cut) {
  Cuts sizes;
  for (base::ByteSpan rest = stream; !rest.empty(); rest = rest.subspan(sizes.back())) sizes.push_back(cut(rest));
  return sizes;
}

// Places are compared by 8 bytes, the first one in front.
std::uint64_t value_at(const std::uint8_t* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap64(value);
}

std::size_t cut_ae(base::ByteSpan rest, std::size_t average) {
  const auto window = static_cast<std::size_t>(static_cast<double>(average) / 1.71828);
  if (rest.size() <= window + 8) return rest.size();
  std::uint64_t most = value_at(rest.data());
  std::size_t place = 0;
  for (std::size_t i = 1; i + 8 <= rest.size(); ++i) {
    const std::uint64_t value = value_at(rest.data() + i);
    if (value > most) {
      most = value;
      place = i;
    } else if (i == place + window) {
      return i;
    }
  }
  return rest.size();
}

std::size_t cut_ram(base::ByteSpan rest, std::size_t average) {
  const std::size_t window = average - 256;
  if (rest.size() <= window + 8) return rest.size();
  std::uint8_t most = 0;
  for (std::size_t i = 0; i < window; ++i) most = std::max(most, rest[i]);
  const auto end = rest.begin() + static_cast<std::ptrdiff_t>(std::min(rest.size(), 4 * average));
  const auto found = std::find_if(rest.begin() + static_cast<std::ptrdiff_t>(window), end,
                                  [most](std::uint8_t byte) { return byte >= most; });
  return static_cast<std::size_t>(found - rest.begin()) + (found == end ? 0 : 1);
}

Cut kura_cut(std::uint8_t algorithm, WindowScan::Code code, std::uint32_t average) {
  const ChunkerParameters parameters{
      .algorithm = algorithm, .least = average / 4, .average = average, .most = 4 * average};
  const GearTable gear = WriteSecrets::derive(base::Key(base::Bytes(32, 1)), RepositoryId{}).gear_table({});
  return [chunker = Chunker(parameters, gear, code)](base::ByteSpan rest) {
    Chunker::Search search;
    return *chunker.next_cut(rest, /*at_end=*/true, search);
  };
}

struct Found {
  std::size_t chunks = 0, unique = 0, unique_bytes = 0;
};

void add_chunks(base::ByteSpan rest, const Cuts& cuts, std::unordered_map<base::Digest, int, base::DigestHash>& known,
                Found& found) {
  for (const std::size_t size : cuts) {
    ++found.chunks;
    if (known[crypto::sha256(rest.first(size))]++ == 0) {
      ++found.unique;
      found.unique_bytes += size;
    }
    rest = rest.subspan(size);
  }
}

void measure(const char* name, std::uint32_t average, const Cut& cut, const std::vector<base::Bytes>& days) {
  using Clock = std::chrono::steady_clock;
  std::unordered_map<base::Digest, int, base::DigestHash> known;
  std::vector<double> seconds;
  Found first, both;
  for (int turn = 0; turn < 5; ++turn) {
    const auto began = Clock::now();
    const Cuts cuts = cut_all(days[0], cut);
    seconds.push_back(std::chrono::duration<double>(Clock::now() - began).count());
    if (turn == 0) add_chunks(days[0], cuts, known, first);
  }
  std::ranges::sort(seconds);
  both = first;
  add_chunks(days[1], cut_all(days[1], cut), known, both);
  std::printf(
      "{\"name\": \"%s\", \"average\": %u, \"bytes_per_second\": %.0f, \"chunks\": %zu, \"stored\": %zu, "
      "\"added\": %zu}\n",
      name, average, static_cast<double>(days[0].size()) / seconds[2], first.unique, first.unique_bytes,
      both.unique_bytes - first.unique_bytes);
}

base::Bytes read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void measure_all(const std::vector<base::Bytes>& days) {
  using Code = WindowScan::Code;
  for (const std::uint32_t average : {256U << 10, 512U << 10, 1U << 20, 2U << 20, 4U << 20}) {
    const auto one = [&](const char* name, const Cut& cut) { measure(name, average, cut, days); };
    one("gear", kura_cut(kGearChunks, Code::kScalar, average));
    one("window, scalar", kura_cut(kScannedChunks, Code::kScalar, average));
    if (WindowScan::best() >= Code::kAvx2) one("window, AVX2", kura_cut(kScannedChunks, Code::kAvx2, average));
    if (WindowScan::best() >= Code::kAvx512) one("window, AVX-512", kura_cut(kScannedChunks, Code::kAvx512, average));
    one("AE", [average](base::ByteSpan rest) { return cut_ae(rest, average); });
    one("RAM", [average](base::ByteSpan rest) { return cut_ram(rest, average); });
  }
}

}  // namespace
}  // namespace kura::archive

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "Usage: kura_chunker_bench FILE OF_DAY_2\n");
    return 2;
  }
  kura::archive::measure_all({kura::archive::read_file(arguments[1]), kura::archive::read_file(arguments[2])});
}
