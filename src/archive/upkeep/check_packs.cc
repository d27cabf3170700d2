#include "archive/upkeep/check_packs.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "archive/format/chunk_id.h"
#include "archive/repo/pack_reader.h"
#include "archive/upkeep/check_findings.h"
#include "base/parallel.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectInfo;

constexpr std::size_t kBlock = 1U << 20;

// Reads one pack from its beginning to its end and hashes what it reads.
class PackStream {
 public:
  PackStream(store::Store& store, const ObjectInfo& pack, base::Progress& progress)
      : store_(store), pack_(pack), progress_(progress) {}

  // The next `count` bytes, valid until the next call; fewer are never given.
  Result<base::MutableByteSpan> take(std::size_t count, base::RawBuffer& buffer) {
    buffer.reserve(count);
    const base::MutableByteSpan out = buffer.spare().first(count);
    KURA_TRY(store_.read_at(Kind::kPack, pack_.id, offset_, out));
    hash_.update(out);
    offset_ += count;
    progress_.bytes_done += count;
    return out;
  }
  // All bytes before `end`.
  Status skip_to(std::uint64_t end, base::RawBuffer& buffer, const std::stop_token& stop) {
    while (offset_ < end) {
      KURA_TRY(check_not_stopped(stop));
      KURA_TRY(take(static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, end - offset_)), buffer));
    }
    return {};
  }
  std::uint64_t offset() const { return offset_; }
  // After the last byte.
  bool matches_name() { return hash_.finish() == pack_.id; }

 private:
  store::Store& store_;
  const ObjectInfo& pack_;
  base::Progress& progress_;
  crypto::Sha256 hash_;
  std::uint64_t offset_ = 0;
};

class PackChecker {
 public:
  PackChecker(const Repository& repository, base::Progress& progress, const std::stop_token& stop)
      : repository_(repository), progress_(progress), stop_(stop) {}

  Status check(const ObjectInfo& pack);
  PackCheck take() { return std::exchange(result_, {}); }

 private:
  // nullopt: whole.
  Result<std::optional<Error>> read(const ObjectInfo& pack);
  Result<std::optional<Error>> open_frames(PackStream& stream, const ObjectInfo& pack);

  const Repository& repository_;
  base::Progress& progress_;
  const std::stop_token& stop_;
  std::mutex mutex_;  // guards result_
  PackCheck result_;
};

Status PackChecker::check(const ObjectInfo& pack) {
  Result<std::optional<Error>> problem = read(pack);
  if (!problem && !is_finding(repository_.store(), problem.error())) return base::fail(std::move(problem).error());
  if (problem && !*problem) return {};
  const std::lock_guard lock(mutex_);
  result_.damaged.emplace(pack.id, problem ? **std::move(problem) : std::move(problem).error());
  return {};
}

Result<std::optional<Error>> PackChecker::read(const ObjectInfo& pack) {
  static thread_local base::RawBuffer buffer;
  PackStream stream(repository_.store(), pack, progress_);
  std::optional<Error> inside;
  if (repository_.recovery_secrets() != nullptr) inside = KURA_TRY(open_frames(stream, pack));
  KURA_TRY(stream.skip_to(pack.size, buffer, stop_));
  const bool matches = stream.matches_name();
  {
    const std::lock_guard lock(mutex_);
    result_.bytes_read += stream.offset();
  }
  if (!matches) {
    return Error(ErrorCode::kDamaged,
                 fmt::format("pack {} in {}: its bytes do not match its name{}", pack.id.hex(),
                             repository_.store().describe(), inside ? fmt::format(" ({})", inside->message()) : ""),
                 "copy it back from another copy of the repository");
  }
  return inside;
}

// Opens frame after frame and checks each chunk against its id. What is wrong inside does not end the reading: the rest
// is hashed all the same, which tells whether the disk or the writer is to blame.
Result<std::optional<Error>> PackChecker::open_frames(PackStream& stream, const ObjectInfo& pack) {
  Result<PackRecord> record = read_footer(repository_, pack);
  if (!record && !is_finding(repository_.store(), record.error())) return base::fail(std::move(record).error());
  if (!record) return std::move(record).error();
  ChunkIndex index;
  index.add_pack(pack.id, pack.size, *record);
  index.finish();
  PackReader reader(repository_, index, 0);

  static thread_local base::RawBuffer sealed, text_buffer;
  const base::MutableByteSpan head = KURA_TRY(stream.take(kPackHeaderSize, sealed));
  const Result<PackHeader> header = PackHeader::decode(head);
  if (!header) return header.error();
  ChunkNamer namer(repository_.write_secrets()->chunk_id, repository_.config().naming);
  std::uint64_t chunks = 0;
  for (std::uint32_t number = 0; number < record->frames.size(); ++number) {
    KURA_TRY(check_not_stopped(stop_));
    const FrameRecord& frame = record->frames[number];
    Result<base::ByteSpan> text =
        reader.open_frame(0, number, KURA_TRY(stream.take(frame.sealed_size, sealed)), text_buffer);
    if (!text) return std::move(text).error();
    base::ByteSpan rest = *text;
    for (const ChunkEntry& chunk : frame.chunks) {
      if (chunk.size > rest.size() || namer.name(header->content, rest.first(chunk.size)) != chunk.id) {
        return Error(ErrorCode::kDamaged, fmt::format("pack {} in {}: a chunk in frame {} is not the one its id says",
                                                      pack.id.hex(), repository_.store().describe(), number));
      }
      rest = rest.subspan(chunk.size);
      ++chunks;
    }
  }
  const std::lock_guard lock(mutex_);
  result_.chunks_opened += chunks;
  return std::nullopt;
}

}  // namespace

std::vector<ObjectInfo> choose_objects(std::vector<ObjectInfo> objects, const CheckOptions& options) {
  if (options.only) {
    std::erase_if(objects, [&](const ObjectInfo& object) { return !options.only->contains(object.id); });
    return objects;
  }
  std::ranges::sort(objects, {}, &ObjectInfo::id);
  if (options.read_data >= 1) return objects;
  std::uint64_t seed;
  crypto::fill_random({reinterpret_cast<std::uint8_t*>(&seed), sizeof seed});
  std::ranges::shuffle(objects, std::mt19937_64(seed));
  std::uint64_t total = 0;
  for (const ObjectInfo& object : objects) total += object.size;
  const double wanted = options.read_data * static_cast<double>(total);
  std::size_t count = 0;
  for (std::uint64_t chosen = 0; count < objects.size() && static_cast<double>(chosen) < wanted; ++count) {
    chosen += objects[count].size;
  }
  objects.resize(count);
  return objects;
}

Result<PackCheck> check_packs(const Repository& repository, const std::vector<ObjectInfo>& packs, unsigned threads,
                              base::Progress& progress, const std::stop_token& stop) {
  for (const ObjectInfo& pack : packs) progress.bytes_total += pack.size;
  PackChecker checker(repository, progress, stop);
  KURA_TRY(base::each_on_threads(packs.size(), threads, [&](std::size_t i) { return checker.check(packs[i]); }));
  return checker.take();
}

}  // namespace kura::archive
