#include "mount/read_ahead.h"

#include <algorithm>
#include <span>
#include <utility>

namespace kura::mount {
namespace {

constexpr std::uint64_t kWindow = 6U << 20;  // bytes ahead of the reader: eight readers fit into the cache
constexpr std::uint64_t kJobBytes = 2U << 20;
constexpr std::uint64_t kDisorder = 1U << 20;  // by which the kernel's parallel requests may lie apart
constexpr unsigned kInARow = 2;                // reads that make it a run
constexpr std::size_t kMostJobs = 64;

}  // namespace

bool ReadAhead::Stream::goes_on(std::uint64_t offset, std::size_t size) {
  const auto state = state_.lock();
  const std::uint64_t end = state->end;
  const bool is_near = offset + kDisorder >= end && offset <= end + kDisorder;
  if (!is_near) {
    *state = {.end = offset + size, .in_a_row = 0, .asked = 0};
    return false;
  }
  state->end = std::max(end, offset + size);
  if (state->in_a_row < kInARow) ++state->in_a_row;
  return state->in_a_row >= kInARow;
}

std::size_t ReadAhead::Stream::claim(std::size_t first, std::size_t end) {
  const auto state = state_.lock();
  const std::size_t begin = std::max(first, state->asked);
  if (begin < end) state->asked = end;
  return begin;
}

ReadAhead::ReadAhead(ChunkSource& source, unsigned threads) : source_(source), jobs_(kMostJobs) {
  for (unsigned number = 0; number < threads; ++number) threads_.emplace_back([this] { work(); });
}

ReadAhead::~ReadAhead() {
  jobs_.cancel();
  threads_.clear();
}

void ReadAhead::note(Stream& stream, const OpenedFile& file, std::uint64_t offset, std::size_t size, std::size_t last) {
  if (!stream.goes_on(offset, size) || jobs_.size() + kMostJobs / 8 >= kMostJobs) return;
  const std::size_t count = file.table->ids().size();
  std::size_t end = last + 1;
  for (std::uint64_t ahead = 0; end < count && ahead < kWindow; ++end) ahead += file.table->chunk_size(end);
  std::size_t first = stream.claim(last + 1, end);
  while (first < end) {
    std::size_t stop = first;
    for (std::uint64_t bytes = 0; stop < end && bytes < kJobBytes; ++stop) bytes += file.table->chunk_size(stop);
    if (!jobs_.push({file, first, stop})) return;
    first = stop;
  }
}

void ReadAhead::work() {
  while (const std::optional<Job> job = jobs_.pop()) {
    const std::span<const archive::ChunkId> ids(job->file.table->ids());
    source_.read_ahead(*job->file.volume, ids.subspan(job->first, job->end - job->first));
  }
}

}  // namespace kura::mount
