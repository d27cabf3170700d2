#include "archive/restore/chunk_flow.h"

#include <algorithm>
#include <span>
#include <utility>

#include "archive/repo/frame_run.h"

namespace kura::archive {
namespace {

using base::Error;
using base::Result;
using base::Status;

// One that is written and one that is ready when it ends, so that no thread waits for the planner. Runs in the queue
// say little of the memory behind them: of small files, thousands are in one run.
constexpr std::ptrdiff_t kBatches = 2;
constexpr std::size_t kRunsInQueue = 64;

const ChunkPlace& place_of(const WantedChunk& wanted) { return wanted.place; }

}  // namespace

ChunkFlow::ChunkFlow(PackReader& reader, FileWriter& writer, RestoreReport& report, unsigned threads)
    : reader_(reader), writer_(writer), report_(report), room_(kBatches), runs_(kRunsInQueue) {
  for (unsigned number = 0; number < threads; ++number) threads_.emplace_back([this] { work(); });
}

ChunkFlow::~ChunkFlow() {
  runs_.cancel();
  threads_.clear();
}

void ChunkFlow::finish() {
  runs_.close();
  threads_.clear();
}

void ChunkFlow::submit(RestoreBatch batch) {
  std::ranges::sort(batch.wanted, in_order_stored, place_of);
  room_.acquire();
  const std::shared_ptr<const RestoreBatch> shared(new RestoreBatch(std::move(batch)),
                                                   [this](const RestoreBatch* done) {
                                                     delete done;
                                                     room_.release();
                                                   });
  for (std::size_t first = 0; first < shared->wanted.size() && !report_.stopped();) {
    const std::size_t count = run_length(reader_.index(), std::span(shared->wanted).subspan(first), place_of);
    if (!runs_.push({shared, first, count})) return;
    first += count;
  }
}

void ChunkFlow::work() {
  while (const std::optional<Run> run = runs_.pop()) {
    if (!report_.stopped()) read_run(*run);
  }
}

void ChunkFlow::read_run(const Run& run) {
  std::span<const WantedChunk> left = std::span(run.batch->wanted).subspan(run.first, run.count);
  const std::uint32_t first = left.front().place.frame;
  const std::uint32_t count = left.back().place.frame - first + 1;
  const Status status = reader_.frames(
      left.front().place.pack, first, count, [&](std::uint32_t frame, const Result<base::ByteSpan>& text) {
        while (!left.empty() && left.front().place.frame == frame && !report_.stopped()) {
          left = left.subspan(deliver(left, text));
        }
        return !report_.stopped();
      });
  if (status) return;
  const Result<base::ByteSpan> failure = base::fail(status.error());
  while (!left.empty() && !report_.stopped()) left = left.subspan(deliver(left, failure));
}

// Gives one chunk to all that want it: the first of `wanted` and those after it. Returns how many they were.
std::size_t ChunkFlow::deliver(std::span<const WantedChunk> wanted, const Result<base::ByteSpan>& text) {
  const ChunkPlace place = wanted.front().place;
  const ChunkId id = wanted.front().job->contents.ids[wanted.front().number];
  Result<base::ByteSpan> bytes = text ? reader_.chunk_in(*text, place, id, Content::kFile) : text;
  // A damaged copy: PackReader knows whether there is another one.
  base::Bytes other_copy;
  if (!bytes) {
    Result<base::Bytes> found = reader_.other_copy(id, Content::kFile, place, bytes.error());
    if (found) {
      other_copy = *std::move(found);
      bytes = base::ByteSpan(other_copy);
    } else {
      bytes = base::fail(std::move(found).error());
    }
  }
  std::size_t count = 0;
  while (count < wanted.size() && wanted[count].place == place &&
         wanted[count].job->contents.ids[wanted[count].number] == id) {
    deliver_one(wanted[count++], bytes);
  }
  return count;
}

void ChunkFlow::deliver_one(const WantedChunk& wanted, const Result<base::ByteSpan>& bytes) {
  FileJob& job = *wanted.job;
  if (!bytes) {
    writer_.fail(job, Error(bytes.error()));
  } else if (job.is_whole()) {
    return writer_.write_whole(job, *bytes);
  } else if (!job.has_failed.load(std::memory_order_relaxed)) {
    writer_.write_piece(job, wanted.data_offset, *bytes);
  }
  writer_.finish_chunk(job);
}

}  // namespace kura::archive
