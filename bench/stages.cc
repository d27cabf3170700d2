// Each stage of a backup alone, on one core, beside the limit that the machine sets it: what the same work costs at
// least when a library or the kernel does nothing else. Called by `./run bench`.
//
//   kura_stage_bench SAMPLE FOLDER     SAMPLE: bytes like those to back up; FOLDER is made and removed
//
// Prints a line of JSON for each stage: what kura does in a second of processor time, and the limit (bytes or files).
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <zstd.h>

#include "archive/backup/chunker.h"
#include "archive/backup/compress.h"
#include "archive/backup/pack_builder.h"
#include "archive/format/chunk_id.h"
#include "archive/repo/secrets.h"
#include "store/store.h"

namespace kura::archive {
namespace {

constexpr std::size_t kChunk = 1 << 20;  // bytes, as an average chunk
constexpr int kTurns = 5;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double median_seconds(const std::function<void()>& work) {
  std::vector<double> seconds;
  for (int turn = 0; turn < kTurns; ++turn) {
    const double began = processor_seconds();
    work();
    seconds.push_back(processor_seconds() - began);
  }
  std::ranges::sort(seconds);
  return seconds[kTurns / 2];
}

// A result that the compiler must not do without.
void keep(std::uint64_t value) { asm volatile("" : : "r"(value)); }

void print(const char* stage, const char* limit, const char* unit, double amount, double ours, double least) {
  std::printf("{\"stage\": \"%s\", \"limit\": \"%s\", \"unit\": \"%s\", \"kura\": %.0f, \"most\": %.0f}\n", stage,
              limit, unit, amount / ours, amount / least);
}

struct Sample {
  base::Bytes bytes;
  std::vector<base::ByteSpan> chunks;

  explicit Sample(const char* path) {
    std::ifstream file(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
    for (base::ByteSpan rest(bytes); !rest.empty(); rest = rest.subspan(chunks.back().size())) {
      chunks.push_back(rest.first(std::min(kChunk, rest.size())));
    }
  }
  double size() const { return static_cast<double>(bytes.size()); }
};

WriteSecrets secrets() { return WriteSecrets::derive(base::Key(base::Bytes(32, 1)), RepositoryId{}); }

void measure_chunking(const Sample& sample) {
  const Chunker chunker(Config{}.files, secrets().gear_table(RepositoryId{}));
  const auto cut = [&] {
    for (base::ByteSpan rest(sample.bytes); !rest.empty();) {
      Chunker::Search search;
      rest = rest.subspan(*chunker.next_cut(rest, /*at_end=*/true, search));
    }
  };
  const auto read = [&] {
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at + 8 <= sample.bytes.size(); at += 8) {
      std::uint64_t word;
      std::memcpy(&word, sample.bytes.data() + at, sizeof word);
      sum += word;
    }
    keep(sum);
  };
  print("chunk", "reading memory", "bytes", sample.size(), median_seconds(cut), median_seconds(read));
}

void sha256_of(base::ByteSpan bytes) {
  std::array<std::uint8_t, 32> digest{};
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  keep(digest[0]);
}

void measure_identifying(const Sample& sample) {
  const auto identify = [&, key = secrets().chunk_id] {
    ChunkNamer namer(key, Config{}.naming);
    for (const base::ByteSpan chunk : sample.chunks) keep(namer.name(Content::kFile, chunk).bytes[0]);
  };
  const auto hash = [&] { std::ranges::for_each(sample.chunks, sha256_of); };
  print("identify", "SHA-256", "bytes", sample.size(), median_seconds(identify), median_seconds(hash));
}

void measure_compressing(const Sample& sample) {
  Compressor compressor;
  const auto compress = [&] {
    for (const base::ByteSpan chunk : sample.chunks) keep(compressor.compress(chunk).bytes.size());
  };
  base::Bytes out(ZSTD_compressBound(kChunk));
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  const auto plain = [&] {
    for (const base::ByteSpan chunk : sample.chunks) {
      keep(ZSTD_compressCCtx(context, out.data(), out.size(), chunk.data(), chunk.size(), 1));
    }
  };
  print("compress", "zstd -1", "bytes", sample.size(), median_seconds(compress), median_seconds(plain));
  ZSTD_freeCCtx(context);
}

// A pack is encrypted and hashed once each.
void measure_sealing(const Sample& sample) {
  const Config config;
  SealingKeys keys;
  keys.aead = crypto::preferred_aead();
  const auto chunk_count = std::min<std::size_t>(sample.chunks.size(), 32);
  double amount = 0;
  for (std::size_t i = 0; i < chunk_count; ++i) amount += static_cast<double>(sample.chunks[i].size());
  std::vector<PackBuilder> packs;
  for (int turn = 0; turn < kTurns; ++turn) {
    PackBuilder& pack = packs.emplace_back(Content::kFile, config.pack_target, base::RawBuffer());
    for (std::size_t i = 0; i < chunk_count; ++i) {
      pack.add(Compression::kNone, {{ChunkId{}, static_cast<std::uint32_t>(sample.chunks[i].size())}},
               sample.chunks[i]);
    }
  }
  std::size_t next = 0;
  const double ours = median_seconds([&] { keep(std::move(packs[next++]).seal(keys).id.bytes[0]); });

  base::Bytes text(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(amount));
  EVP_CIPHER_CTX* const cipher = EVP_CIPHER_CTX_new();
  const base::Bytes key(32, 1), nonce(12, 2);
  const double least = median_seconds([&] {
    int size = 0;
    EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nullptr, key.data(), nonce.data());
    EVP_EncryptUpdate(cipher, text.data(), &size, text.data(), static_cast<int>(text.size()));
    sha256_of(text);
  });
  EVP_CIPHER_CTX_free(cipher);
  print("seal", "AES-256-GCM and SHA-256", "bytes", amount, ours, least);
}

bool write_file(const std::string& path, base::ByteSpan bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool good = fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  good = ::fdatasync(fd) == 0 && good;
  ::close(fd);
  return good;
}

bool measure_storing(const Sample& sample, const std::string& folder) {
  const auto store = store::create_store(folder + "/store");
  if (!store) return false;
  const base::ByteSpan pack = base::ByteSpan(sample.bytes).first(std::min<std::size_t>(sample.bytes.size(), 32 << 20));
  bool good = true;
  store::ObjectId id;
  id.bytes.fill(1);
  const std::string plain = folder + "/plain";
  // Each file is removed again, so that the kernel has the same memory at hand for all.
  const double ours = median_seconds([&] {
    good = (*store)->put(store::Kind::kPack, id, pack) && (*store)->sync() && good;
    good = (*store)->remove(store::Kind::kPack, id) && good;
  });
  const double least = median_seconds([&] {
    good = write_file(plain, pack) && good;
    std::filesystem::remove(plain);
  });
  print("store", "write and fdatasync", "bytes", static_cast<double>(pack.size()), ours, least);
  return good;
}

}  // namespace
}  // namespace kura::archive

int main(int count, char** arguments) {
  using namespace kura::archive;  // NOLINT(google-build-using-namespace): the program's own
  if (count != 3) {
    std::fprintf(stderr, "Usage: kura_stage_bench SAMPLE FOLDER\n");
    return 2;
  }
  const Sample sample(arguments[1]);
  const std::string folder = arguments[2];
  if (sample.bytes.size() < (32U << 20) || !std::filesystem::create_directory(folder)) {
    std::fprintf(stderr, "kura_stage_bench: %s has less than 32 MiB, or %s cannot be made\n", arguments[1],
                 arguments[2]);
    return 1;
  }
  measure_chunking(sample);
  measure_identifying(sample);
  measure_compressing(sample);
  measure_sealing(sample);
  const bool good = measure_storing(sample, folder);
  std::filesystem::remove_all(folder);
  return good ? 0 : 1;
}
