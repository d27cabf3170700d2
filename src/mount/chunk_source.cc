#include "mount/chunk_source.h"

#include <algorithm>

#include "archive/repo/frame_run.h"

namespace kura::mount {
namespace {

using archive::ChunkId;
using archive::ChunkPlace;
using archive::Content;
using base::Error;
using base::Result;
using base::Status;

std::shared_future<Result<ChunkSource::Text>> landed(ChunkSource::Text text) {
  std::promise<Result<ChunkSource::Text>> promise;
  promise.set_value(std::move(text));
  return promise.get_future().share();
}

}  // namespace

Result<ChunkSource::Text> ChunkSource::get(Volume& volume, const ChunkId& id, Content content) {
  const Key key{.id = id, .content = content};
  if (Text text = cache_.find(key)) return text;
  std::shared_future<Result<Text>> known;
  const std::unique_ptr<Flight> flight = take_off(key, known);
  if (!flight) return known.get();
  const Status there = watch_.is_worth_asking();
  Result<Text> result = there ? read(volume, key) : base::fail(there.error());
  land(*flight, result);
  return result;
}

std::unique_ptr<ChunkSource::Flight> ChunkSource::take_off(const Key& key, std::shared_future<Result<Text>>& known) {
  const auto flights = flights_.lock();
  if (const auto found = flights->find(key); found != flights->end()) {
    known = found->second;
    return nullptr;
  }
  if (Text text = cache_.find(key)) {  // it has landed just now
    known = landed(std::move(text));
    return nullptr;
  }
  auto flight = std::make_unique<Flight>();
  flight->key = key;
  flights->emplace(key, flight->landed.get_future().share());
  return flight;
}

// Into the cache before it is off the list, so that at every moment it is in one of them.
void ChunkSource::land(Flight& flight, Result<Text> result) {
  if (result) {
    watch_.answered();
    cache_.insert(flight.key, *result);
  }
  flights_.lock()->erase(flight.key);
  flight.landed.set_value(std::move(result));
}

Result<ChunkSource::Text> ChunkSource::read(Volume& volume, const Key& key) {
  const std::optional<ChunkPlace> place = volume.index.find(key.id);
  if (!place) {  // its error says so
    return std::make_shared<const base::Bytes>(KURA_TRY(volume.reader.chunk(key.id, key.content)));
  }
  Result<Text> text = read_at(volume, key, *place);
  if (text) return text;
  return other_copy(volume, key, *place, text.error());
}

// A frame that many small chunks share is kept opened by PackReader; of one that is a single chunk, that would be a
// second copy.
Result<ChunkSource::Text> ChunkSource::read_at(Volume& volume, const Key& key, const ChunkPlace& place) {
  if (volume.index.frame(place.pack, place.frame).text_size != place.size) {
    const Text frame = KURA_TRY(volume.reader.frame(place.pack, place.frame));
    return checked(volume, key, place, *frame);
  }
  Result<Text> text;
  KURA_TRY(volume.reader.frames(place.pack, place.frame, 1, [&](std::uint32_t, const Result<base::ByteSpan>& frame) {
    text = frame ? checked(volume, key, place, *frame) : base::fail(frame.error());
    return true;
  }));
  return text;
}

Result<ChunkSource::Text> ChunkSource::checked(Volume& volume, const Key& key, const ChunkPlace& place,
                                               base::ByteSpan frame) {
  const base::ByteSpan bytes = KURA_TRY(volume.reader.chunk_in(frame, place, key.id, key.content));
  return std::make_shared<const base::Bytes>(bytes.begin(), bytes.end());
}

Result<ChunkSource::Text> ChunkSource::other_copy(Volume& volume, const Key& key, const ChunkPlace& place,
                                                  const Error& why) {
  KURA_TRY(watch_.is_there());
  auto text = std::make_shared<const base::Bytes>(KURA_TRY(volume.reader.other_copy(key.id, key.content, place, why)));
  for (const archive::DamagedObject& pack : volume.reader.replaced_packs()) troubles_.met("", pack.error);
  return text;
}

void ChunkSource::read_ahead(Volume& volume, std::span<const ChunkId> ids) {
  std::vector<std::unique_ptr<Flight>> flights;
  for (const ChunkId& id : ids) {
    const Key key{.id = id, .content = Content::kFile};
    const std::optional<ChunkPlace> place = volume.index.find(id);
    std::shared_future<Result<Text>> known;
    if (!place || cache_.find(key)) continue;
    if (auto flight = take_off(key, known)) {
      flight->place = *place;
      flights.push_back(std::move(flight));
    }
  }
  const auto place_of = [](const std::unique_ptr<Flight>& flight) -> const ChunkPlace& { return flight->place; };
  std::ranges::sort(flights, archive::in_order_stored, place_of);
  for (std::span<const std::unique_ptr<Flight>> left(flights); !left.empty();) {
    const std::size_t count = archive::run_length(volume.index, left, place_of);
    read_run(volume, left.first(count));
    left = left.subspan(count);
  }
}

// Chunks in frames of one pack that lie one after another. Each lands as soon as it is there.
void ChunkSource::read_run(Volume& volume, std::span<const std::unique_ptr<Flight>> run) {
  const ChunkPlace start = run.front()->place;
  const std::uint32_t count = run.back()->place.frame - start.frame + 1;
  const Status status = volume.reader.frames(
      start.pack, start.frame, count, [&](std::uint32_t frame, const Result<base::ByteSpan>& text) {
        for (; !run.empty() && run.front()->place.frame == frame; run = run.subspan(1)) {
          Flight& flight = *run.front();
          Result<Text> chunk = text ? checked(volume, flight.key, flight.place, *text) : base::fail(text.error());
          if (!chunk) chunk = other_copy(volume, flight.key, flight.place, chunk.error());
          land(flight, std::move(chunk));
        }
        return true;
      });
  if (status) return;
  for (const std::unique_ptr<Flight>& flight : run) {
    land(*flight, other_copy(volume, flight->key, flight->place, status.error()));
  }
}

}  // namespace kura::mount
