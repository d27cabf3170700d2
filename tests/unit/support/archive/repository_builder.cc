#include "support/archive/repository_builder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <zstd.h>

#include "archive/format/chunk_id.h"
#include "base/unique_fd.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "store/folder_store.h"

namespace kura::archive::test {
namespace {

constexpr crypto::AeadKind kAead = crypto::AeadKind::kChaCha20Poly1305;
constexpr std::size_t kFrameTarget = 4000;  // bytes; small, so that small repositories have many frames

template <typename T>
T must(base::Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().text();
    std::abort();
  }
  return *std::move(result);
}

void must(base::Status status) {
  if (!status) ADD_FAILURE() << status.error().text();
}

base::Bytes compressed(base::ByteSpan text) {
  base::Bytes out(ZSTD_compressBound(text.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

}  // namespace

RepositoryBuilder::RepositoryBuilder() {
  std::shared_ptr<store::Store> store = must(store::create_store(folder()));
  repository_ = must(Repository::create(
      store, {.state_folder = folder_ / "state", .machine_label = "builder", .passphrase = std::nullopt}));
  session_ = crypto::random_key();
  base::Bytes info;
  std::ranges::copy(base::as_bytes("kura session v1"), std::back_inserter(info));
  std::ranges::copy(repository_->config().repository, std::back_inserter(info));
  const base::Bytes sealed = crypto::hpke_seal(repository_->config().box_key, info, {}, session_.span());
  std::ranges::copy(sealed, sealed_session_.begin());
}

std::string RepositoryBuilder::path_of(store::Kind kind, const store::ObjectId& id) const {
  std::string path = folder() + "/" + std::string(store::folder_of(kind)) + "/";
  if (kind == store::Kind::kPack) path += id.hex().substr(0, 2) + "/";
  return path + id.hex();
}

void RepositoryBuilder::damage(store::Kind kind, const store::ObjectId& id, std::uint64_t offset) const {
  const std::string path = path_of(kind, id);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  const base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  std::uint8_t byte = 0;
  ASSERT_EQ(::pread(fd.get(), &byte, 1, static_cast<off_t>(offset)), 1);
  byte ^= 0x40;
  ASSERT_EQ(::pwrite(fd.get(), &byte, 1, static_cast<off_t>(offset)), 1);
}

ChunkId RepositoryBuilder::id_of(Content content, base::ByteSpan bytes) const {
  return ChunkNamer(repository_->write_secrets()->chunk_id, repository_->config().naming).name(content, bytes);
}

ChunkId RepositoryBuilder::add(Content content, std::string_view bytes) {
  const ChunkId id = id_of(content, base::as_bytes(bytes));
  add_as(id, content, bytes);
  return id;
}

void RepositoryBuilder::add_as(const ChunkId& id, Content content, std::string_view bytes) {
  OpenFrame& frame = open(content).frame;
  frame.chunks.push_back({.id = id, .size = static_cast<std::uint32_t>(bytes.size())});
  std::ranges::copy(base::as_bytes(bytes), std::back_inserter(frame.text));
  if (!sealed_instead_.empty()) frame.instead = std::exchange(sealed_instead_, {});
  if (frame.text.size() >= kFrameTarget) end_frame(content);
}

void RepositoryBuilder::end_frame(Content content) {
  OpenPack& pack = open(content);
  if (!pack.frame.chunks.empty()) pack.frames.push_back(std::exchange(pack.frame, {}));
}

store::ObjectId RepositoryBuilder::end_pack(Content content) {
  end_frame(content);
  const OpenPack pack = std::exchange(open(content), {});
  PackHeader header;
  header.aead = kAead;
  header.content = content;
  header.repository = repository_->config().repository;
  std::ranges::copy(crypto::random_bytes(32), header.salt.begin());
  header.session = sealed_session_;

  const auto encoded = header.encode();
  base::Bytes object(encoded.begin(), encoded.end());
  crypto::Aead aead(kAead, frame_key(session_, header));
  PackRecord record;
  for (std::uint32_t number = 0; number < pack.frames.size(); ++number) {
    const OpenFrame& frame = pack.frames[number];
    const bool is_compressed = compress_ || !frame.instead.empty();
    const base::Bytes stored = !frame.instead.empty() ? frame.instead : compress_ ? compressed(frame.text) : frame.text;
    const base::Bytes sealed = aead.seal(crypto::Nonce::counter(number), header.associated(number), stored);
    record.frames.push_back({.sealed_size = static_cast<std::uint32_t>(sealed.size()),
                             .compression = is_compressed ? Compression::kZstd : Compression::kNone,
                             .chunks = frame.chunks});
    object.insert(object.end(), sealed.begin(), sealed.end());
  }
  const base::Bytes footer = seal_footer(header, record, repository_->write_secrets()->catalog);
  object.insert(object.end(), footer.begin(), footer.end());
  const store::ObjectId id = must(repository_->put(store::Kind::kPack, object));
  unindexed_.push_back({.id = id, .size = object.size(), .record = record});
  packs_.push_back(id);
  return id;
}

ContentRef RepositoryBuilder::content(Content content, std::string_view bytes, std::size_t chunk_size) {
  ContentRef ref;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(chunk_size, bytes.size()))) {
    ref.ids.push_back(add(content, bytes.substr(0, chunk_size)));
  }
  return ref;
}

ContentRef RepositoryBuilder::listing(const std::vector<Entry>& entries, std::size_t chunk_size) {
  std::vector<Entry> sorted = entries;
  std::ranges::sort(sorted, {}, &Entry::name);
  base::Encoder out;
  for (const Entry& entry : sorted) entry.encode(out);
  return content(Content::kListing, base::as_text(out.bytes()), chunk_size);
}

Entry RepositoryBuilder::entry(EntryType type, std::string name, std::uint32_t mode) {
  Entry entry;
  entry.type = type;
  entry.name = std::move(name);
  entry.mode = mode;
  entry.uid = ::geteuid();
  entry.gid = ::getegid();
  entry.mtime_seconds = 1'500'000'000;
  entry.mtime_nanoseconds = 123'456'789;
  return entry;
}

Entry RepositoryBuilder::file(std::string name, std::string_view bytes, std::size_t chunk_size) {
  Entry made = entry(EntryType::kFile, std::move(name), 0640);
  made.size = bytes.size();
  made.content = content(Content::kFile, bytes, chunk_size);
  return made;
}

Entry RepositoryBuilder::folder(std::string name, const std::vector<Entry>& entries) {
  Entry made = entry(EntryType::kFolder, std::move(name), 0750);
  made.content = listing(entries);
  return made;
}

Entry RepositoryBuilder::symlink(std::string name, std::string target) {
  Entry made = entry(EntryType::kSymlink, std::move(name), 0777);
  made.target = std::move(target);
  return made;
}

StoredSnapshot RepositoryBuilder::commit(const std::vector<Entry>& root) { return commit(listing(root)); }

StoredSnapshot RepositoryBuilder::commit(const ContentRef& root) {
  const WriteSecrets& secrets = *repository_->write_secrets();
  for (const Content content : {Content::kFile, Content::kListing}) {
    end_frame(content);
    if (!open(content).frames.empty()) end_pack(content);
  }
  if (!unindexed_.empty()) {
    Index index{.repository = repository_->config().repository, .packs = std::exchange(unindexed_, {})};
    const store::ObjectId id = must(repository_->put(store::Kind::kIndex, index.encode(kAead, secrets.catalog)));
    needs_.push_back({.index = id, .bits = {}});
    for (std::size_t pack = 0; pack < index.packs.size(); ++pack) needs_.back().add(pack);
    indexes_.push_back(id);
  }
  Snapshot snapshot;
  snapshot.repository = repository_->config().repository;
  snapshot.machine = repository_->machine()->public_key();
  snapshot.number = ++number_;
  snapshot.before = before_;
  snapshot.started = 1'600'000'000'000'000'000;
  snapshot.needs = needs_;
  snapshot.label.emplace();
  snapshot.label->root = root;
  snapshot.label->host = "builder";
  snapshot.label->paths = {"/"};
  before_ = must(repository_->put(store::Kind::kSnapshot,
                                  snapshot.encode(kAead, secrets.catalog, repository_->machine()->signing_seed)));
  must(repository_->store().sync());
  return must(repository_->snapshot(before_));
}

}  // namespace kura::archive::test
