#include "archive/repo/pack_reader.h"

#include <chrono>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <zstd.h>

#include "archive/format/chunk_id.h"
#include "archive/format/limits.h"
#include "archive/repo/decompress.h"
#include "base/buffer_pool.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;

// A file of 32 TiB in chunks of average size; their ids take 1 GiB of memory.
constexpr std::size_t kLeavesLimit = 1U << 25;

// For frames that are on their way, of all readers.
const base::BufferPool& buffers() {
  constexpr std::size_t kMostSpare = 6;
  static const base::BufferPool pool(kMostSpare);
  return pool;
}

base::MutableByteSpan room_in(base::RawBuffer& buffer, std::size_t size) {
  buffer.reserve(size);
  return buffer.spare().first(size);
}

// Whether what the index says of a frame can be true: asked before anything is allocated for it.
bool is_plausible(const FramePlace& place, std::uint64_t pack_size) {
  if (place.text_size > kFrameTextLimit || place.sealed_size < crypto::kTagSize) return false;
  if (place.offset > pack_size || place.sealed_size > pack_size - place.offset) return false;
  const std::size_t stored = place.sealed_size - crypto::kTagSize;
  return place.compression == Compression::kNone ? stored == place.text_size
                                                 : stored <= ZSTD_compressBound(place.text_size);
}

}  // namespace

struct PackReader::State {
  State(const Repository& repository_in, const ChunkIndex& index_in, std::shared_ptr<FrameCache> frames)
      : repository(repository_in), index(index_in), cache(std::move(frames)), packs(index_in.packs().size()) {
    if (const WriteSecrets* secrets = repository.write_secrets())
      namer.emplace(secrets->chunk_id, repository.config().naming);
  }

  struct OpenedPack {
    PackHeader header;
    base::Key key;  // of its frames
  };

  // The rest of the repository, loaded by whoever misses a chunk first.
  struct Elsewhere {
    Elsewhere(const Repository& repository, ChunkIndex index_in)
        : index(std::move(index_in)), reader(repository, index) {}
    const ChunkIndex index;
    PackReader reader;
  };

  Result<const OpenedPack*> opened(std::uint32_t pack);
  Result<OpenedPack> open_pack(const ChunkIndex::Pack& pack);
  Result<base::Key> session_key(const SealedSession& sealed);
  Status read(const ChunkIndex::Pack& pack, std::uint64_t offset, base::MutableByteSpan out);
  Result<base::ByteSpan> open_frame(std::uint32_t pack, std::uint32_t frame, base::MutableByteSpan sealed,
                                    base::RawBuffer& buffer);
  Status check_range(std::uint32_t pack, std::uint32_t first, std::uint32_t count) const;
  Error damaged(const ChunkIndex::Pack& pack, std::string_view why) const;
  Result<base::Bytes> chunk_at(const ChunkPlace& place, const ChunkId& id, Content content, PackReader& reader);
  Result<Elsewhere*> load_elsewhere();
  void note_replaced(const ChunkPlace& lost, const Error& why);

  const Repository& repository;
  const ChunkIndex& index;
  std::optional<ChunkNamer> namer;
  const std::shared_ptr<FrameCache> cache;

  std::mutex mutex;  // guards what follows; what the pointers point to does not change once it is there
  std::vector<std::unique_ptr<const OpenedPack>> packs;
  std::map<SealedSession, base::Key> sessions;
  std::map<store::ObjectId, Error> replaced;

  std::mutex elsewhere_mutex;  // guards what follows; what the pointer points to stays once it is there
  std::unique_ptr<Elsewhere> elsewhere;
  std::optional<Error> elsewhere_error;  // why there was none when it was looked for last
  std::chrono::steady_clock::time_point elsewhere_again;
};

Error PackReader::State::damaged(const ChunkIndex::Pack& pack, std::string_view why) const {
  return Error(ErrorCode::kDamaged, fmt::format("pack {} in {}: {}", pack.id.hex(), repository.store().describe(), why),
               "run `kura check` to see what depends on it");
}

Status PackReader::State::read(const ChunkIndex::Pack& pack, std::uint64_t offset, base::MutableByteSpan out) {
  Status status = repository.store().read_at(Kind::kPack, pack.id, offset, out);
  if (status || status.error().code() != ErrorCode::kNotFound) return status;
  return base::fail(damaged(pack, "it is missing"));
}

Result<const PackReader::State::OpenedPack*> PackReader::State::opened(std::uint32_t pack) {
  {
    const std::lock_guard lock(mutex);
    if (packs[pack]) return packs[pack].get();
  }
  auto fresh = std::make_unique<const OpenedPack>(KURA_TRY(open_pack(index.packs()[pack])));
  const std::lock_guard lock(mutex);
  if (!packs[pack]) packs[pack] = std::move(fresh);
  return packs[pack].get();
}

Result<PackReader::State::OpenedPack> PackReader::State::open_pack(const ChunkIndex::Pack& pack) {
  if (pack.size < kPackHeaderSize) return base::fail(damaged(pack, "it is too short"));
  std::array<std::uint8_t, kPackHeaderSize> bytes{};
  KURA_TRY(read(pack, 0, bytes));
  OpenedPack opened;
  Result<PackHeader> header = PackHeader::decode(bytes);
  if (!header && header.error().code() != ErrorCode::kDamaged) return base::fail(std::move(header).error());
  if (!header) return base::fail(damaged(pack, header.error().message()));
  opened.header = *header;
  if (opened.header.repository != repository.config().repository) {
    return base::fail(damaged(pack, "it belongs to another repository"));
  }
  Result<base::Key> session = session_key(opened.header.session);
  if (!session && session.error().code() == ErrorCode::kDamaged) {
    return base::fail(damaged(pack, session.error().message()));
  }
  if (!session) return base::fail(std::move(session).error());
  opened.key = frame_key(*session, opened.header);
  return opened;
}

// All packs of a backup carry the same sealed key, and opening it costs two X25519 operations.
Result<base::Key> PackReader::State::session_key(const SealedSession& sealed) {
  {
    const std::lock_guard lock(mutex);
    const auto known = sessions.find(sealed);
    if (known != sessions.end()) return known->second;
  }
  const RecoverySecrets* secrets = KURA_TRY(repository.need_recovery_secrets());
  base::Bytes info;
  const base::ByteSpan purpose = base::as_bytes("kura session v1");
  info.insert(info.end(), purpose.begin(), purpose.end());
  const RepositoryId& id = repository.config().repository;
  info.insert(info.end(), id.begin(), id.end());
  std::optional<base::Bytes> text = crypto::hpke_open(secrets->box, info, {}, sealed);
  if (!text || text->size() != base::Key().span().size()) {
    return base::fail(ErrorCode::kDamaged, "its session key is not sealed to this repository");
  }
  base::Key key{base::ByteSpan(*text)};
  explicit_bzero(text->data(), text->size());
  const std::lock_guard lock(mutex);
  sessions.emplace(sealed, key);
  return key;
}

Status PackReader::State::check_range(std::uint32_t pack, std::uint32_t first, std::uint32_t count) const {
  if (pack >= index.packs().size()) return base::fail(ErrorCode::kUsage, "there is no such pack in the index");
  const ChunkIndex::Pack& place = index.packs()[pack];
  if (first > place.frames || count > place.frames - first) {
    return base::fail(ErrorCode::kUsage, "there is no such frame in the index");
  }
  for (std::uint32_t number = first; number < first + count; ++number) {
    if (is_plausible(index.frame(pack, number), place.size)) continue;
    return base::fail(damaged(place, fmt::format("the index says impossible sizes for frame {}", number)));
  }
  return {};
}

// The result lies in `sealed` or in `buffer`.
Result<base::ByteSpan> PackReader::State::open_frame(std::uint32_t pack, std::uint32_t frame,
                                                     base::MutableByteSpan sealed, base::RawBuffer& buffer) {
  const OpenedPack* keys = KURA_TRY(opened(pack));
  const ChunkIndex::Pack& place = index.packs()[pack];
  const FramePlace record = index.frame(pack, frame);
  const base::MutableByteSpan stored = sealed.first(sealed.size() - crypto::kTagSize);
  crypto::Aead aead(keys->header.aead, keys->key);
  if (!aead.open(crypto::Nonce::counter(frame), keys->header.associated(frame), sealed, stored)) {
    return base::fail(damaged(place, fmt::format("frame {} is not what was stored", frame)));
  }
  if (record.compression == Compression::kNone) return stored;
  const base::MutableByteSpan text = room_in(buffer, record.text_size);
  if (!decompress(stored, text)) {
    return base::fail(damaged(
        place, fmt::format("frame {} does not decompress to the {} bytes its index says", frame, record.text_size)));
  }
  return text;
}

PackReader::PackReader(const Repository& repository, const ChunkIndex& index, std::size_t cache_bytes)
    : PackReader(repository, index, std::make_shared<FrameCache>(cache_bytes)) {}
PackReader::PackReader(const Repository& repository, const ChunkIndex& index, std::shared_ptr<FrameCache> frames)
    : state_(std::make_unique<State>(repository, index, std::move(frames))) {}
PackReader::~PackReader() = default;

const ChunkIndex& PackReader::index() const { return state_->index; }

Result<PackReader::Text> PackReader::frame(std::uint32_t pack, std::uint32_t frame) {
  KURA_TRY(state_->check_range(pack, frame, 1));
  const ChunkIndex::Pack& place = state_->index.packs()[pack];
  if (Text known = state_->cache->find(place.id, frame)) return known;
  const FramePlace record = state_->index.frame(pack, frame);
  const auto stored_buffer = buffers().borrow(), text_buffer = buffers().borrow();
  const base::MutableByteSpan sealed = room_in(*stored_buffer, record.sealed_size);
  KURA_TRY(state_->read(place, record.offset, sealed));
  const base::ByteSpan opened = KURA_TRY(state_->open_frame(pack, frame, sealed, *text_buffer));
  Text text = std::make_shared<const base::Bytes>(opened.begin(), opened.end());
  state_->cache->insert(place.id, frame, text);
  return text;
}

Status PackReader::frames(std::uint32_t pack, std::uint32_t first, std::uint32_t count, const VisitFrame& visit) {
  if (count == 0) return {};
  KURA_TRY(state_->check_range(pack, first, count));
  const ChunkIndex::Pack& place = state_->index.packs()[pack];
  const FramePlace last = state_->index.frame(pack, first + count - 1);
  const std::uint64_t start = state_->index.frame(pack, first).offset;
  const std::uint64_t size = last.offset + last.sealed_size - start;
  const auto stored_buffer = buffers().borrow(), text_buffer = buffers().borrow();
  const base::MutableByteSpan stored = room_in(*stored_buffer, static_cast<std::size_t>(size));
  KURA_TRY(state_->read(place, start, stored));
  for (std::uint32_t number = first; number < first + count; ++number) {
    const FramePlace record = state_->index.frame(pack, number);
    const auto offset = static_cast<std::size_t>(record.offset - start);
    if (!visit(number, state_->open_frame(pack, number, stored.subspan(offset, record.sealed_size), *text_buffer)))
      break;
  }
  return {};
}

Result<base::ByteSpan> PackReader::open_frame(std::uint32_t pack, std::uint32_t frame, base::MutableByteSpan sealed,
                                              base::RawBuffer& buffer) {
  KURA_TRY(state_->check_range(pack, frame, 1));
  if (sealed.size() != state_->index.frame(pack, frame).sealed_size) {
    return base::fail(ErrorCode::kUsage, "these are not all bytes of the frame");
  }
  return state_->open_frame(pack, frame, sealed, buffer);
}

Result<base::Bytes> PackReader::State::chunk_at(const ChunkPlace& place, const ChunkId& id, Content content,
                                                PackReader& reader) {
  const Text text = KURA_TRY(reader.frame(place.pack, place.frame));
  const base::ByteSpan bytes = KURA_TRY(reader.chunk_in(*text, place, id, content));
  return base::Bytes(bytes.begin(), bytes.end());
}

Result<base::ByteSpan> PackReader::chunk_in(base::ByteSpan frame, const ChunkPlace& place, const ChunkId& id,
                                            Content content) const {
  const auto about = [&](std::string_view what) {
    return base::fail(
        state_->damaged(state_->index.packs()[place.pack], fmt::format("a chunk in frame {} {}", place.frame, what)));
  };
  if (place.offset > frame.size() || place.size > frame.size() - place.offset) {
    return about("would lie outside of it, as the index says");
  }
  const base::ByteSpan bytes = frame.subspan(place.offset, place.size);
  if (!verify(id, content, bytes)) return about("is not the one its id says");
  return bytes;
}

Result<base::Bytes> PackReader::chunk(const ChunkId& id, Content content) {
  const std::vector<ChunkPlace> copies = state_->index.copies(id);
  if (copies.empty()) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("chunk {} is in no index that this snapshot names in {}", id.hex(),
                                  state_->repository.store().describe()),
                      "run `kura check` to see what is missing");
  }
  Result<base::Bytes> bytes = state_->chunk_at(copies.front(), id, content, *this);
  if (bytes) return bytes;
  return other_copy(id, content, copies.front(), bytes.error());
}

Result<base::Bytes> PackReader::other_copy(const ChunkId& id, Content content, const ChunkPlace& not_at,
                                           const Error& why) {
  for (const ChunkPlace& copy : state_->index.copies(id)) {
    if (copy == not_at) continue;
    Result<base::Bytes> bytes = state_->chunk_at(copy, id, content, *this);
    if (bytes) return bytes;
  }
  const bool is_lost = why.code() == ErrorCode::kDamaged || why.code() == ErrorCode::kIo;
  if (!is_lost || !state_->index.is_partial()) return base::fail(why);
  const Result<State::Elsewhere*> elsewhere = state_->load_elsewhere();
  if (!elsewhere) {
    return base::fail(
        why.code(),
        fmt::format("{} (other copies could not be looked for: {})", why.message(), elsewhere.error().message()),
        why.hint());
  }
  Result<base::Bytes> bytes = (*elsewhere)->reader.chunk(id, content);
  if (!bytes) return base::fail(why);
  state_->note_replaced(not_at, why);
  return bytes;
}

// A failure is remembered for a while: a store that was away comes back, but a thousand lost chunks are not to list it
// a thousand times.
Result<PackReader::State::Elsewhere*> PackReader::State::load_elsewhere() {
  constexpr auto kPatience = std::chrono::seconds(10);
  const std::lock_guard lock(elsewhere_mutex);
  if (elsewhere) return elsewhere.get();
  const auto now = std::chrono::steady_clock::now();
  if (elsewhere_error && now < elsewhere_again) return base::fail(*elsewhere_error);
  Result<ChunkIndex> others = load_other_indexes(repository, index);
  if (!others) {
    elsewhere_again = now + kPatience;
    elsewhere_error = std::move(others).error();
    return base::fail(*elsewhere_error);
  }
  elsewhere = std::make_unique<Elsewhere>(repository, *std::move(others));
  return elsewhere.get();
}

void PackReader::State::note_replaced(const ChunkPlace& lost, const Error& why) {
  const std::lock_guard lock(mutex);
  replaced.emplace(index.packs()[lost.pack].id,
                   Error(why.code(), why.message() + "; what was wanted of it was found stored again in other packs",
                         "run `kura check` to see what else is damaged"));
}

std::vector<DamagedObject> PackReader::replaced_packs() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<DamagedObject> packs;
  for (const auto& [id, error] : state_->replaced) packs.push_back({Kind::kPack, id, error});
  return packs;
}

bool PackReader::verify(const ChunkId& id, Content content, base::ByteSpan text) const {
  return state_->namer && state_->namer->clone().name(content, text) == id;
}

Result<std::vector<ChunkId>> PackReader::leaves(const ContentRef& content) {
  if (content.depth > kContentDepthLimit) return base::fail(ErrorCode::kDamaged, "a content is nested too deeply");
  std::vector<ChunkId> ids = content.ids;
  for (std::uint8_t depth = content.depth; depth > 0; --depth) {
    std::vector<ChunkId> below;
    for (const ChunkId& id : ids) {
      const base::Bytes bytes = KURA_TRY(chunk(id, Content::kListing));
      constexpr std::size_t kIdSize = sizeof(ChunkId::bytes);
      if (bytes.empty() || bytes.size() % kIdSize != 0 || below.size() + bytes.size() / kIdSize > kLeavesLimit) {
        return base::fail(ErrorCode::kDamaged, "a list of chunk ids is malformed or too long");
      }
      for (std::size_t at = 0; at < bytes.size(); at += kIdSize) {
        below.push_back(ChunkId::from_bytes(base::ByteSpan(bytes).subspan(at, kIdSize)));
      }
    }
    ids = std::move(below);
  }
  return ids;
}

}  // namespace kura::archive
