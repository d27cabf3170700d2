#include "archive/backup/file_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ranges>
#include <utility>

#include "archive/backup/file_cache_record.h"
#include "archive/backup/walk_order.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

constexpr std::string_view kMagic = "KURAFILE";
constexpr std::uint16_t kVersion = 2;
constexpr std::size_t kBlock = 256U << 10;       // bytes: a block is written when it has so many
constexpr std::size_t kBlockLimit = 256U << 20;  // a record may be large: the ids of a huge file
constexpr std::size_t kPathLimit = 64U << 20;

base::Bytes header_of(const store::ObjectId& config) {
  base::Encoder header;
  header.raw(base::as_bytes(kMagic)).u16(kVersion).raw(config.span());
  return header.take();
}

// Bound to its place, so that blocks of an older cache in between are seen.
base::Digest checksum(std::uint64_t number, base::ByteSpan block) {
  crypto::Sha256 hash;
  base::Encoder place;
  place.u64(number);
  hash.update(place.bytes());
  hash.update(block);
  return hash.finish();
}

bool read_exactly(std::FILE* file, base::MutableByteSpan out) {
  return std::fread(out.data(), 1, out.size(), file) == out.size();
}

}  // namespace

FileCacheReader::FileCacheReader(const std::string& path, const store::ObjectId& config)
    : file_(std::fopen(path.c_str(), "rbe")) {
  if (file_ == nullptr || !read_header(config) || !next()) give_up();
}

FileCacheReader::~FileCacheReader() = default;

bool FileCacheReader::read_header(const store::ObjectId& config) {
  const base::Bytes expected = header_of(config);
  base::Bytes header(expected.size());
  return read_exactly(file_.get(), header) && header == expected;
}

bool FileCacheReader::read_block() {
  constexpr std::size_t kHead = 4 + 8 + 32;
  base::Bytes head(kHead);
  if (!read_exactly(file_.get(), head)) return false;
  base::Decoder in(head);
  const std::uint32_t size = in.u32();
  const std::uint64_t number = in.u64();
  const base::Digest expected = in.digest();
  if (size > kBlockLimit || number != block_number_) return false;
  block_.resize(size);
  if (!read_exactly(file_.get(), block_) || checksum(number, block_) != expected) return false;
  ++block_number_;
  consumed_ = 0;
  return true;
}

bool FileCacheReader::next() {
  if (file_ == nullptr || (consumed_ == block_.size() && !read_block())) return false;
  base::Decoder in(base::ByteSpan(block_).subspan(consumed_));
  const std::uint64_t shared = in.varint();
  const std::string rest = in.text(kPathLimit);
  if (!in.ok() || shared > path_.size()) return false;
  std::string path = path_.substr(0, shared) + rest;
  CachedFile file = decode_cached_file(in);
  if (!in.ok() || (has_current_ && compare_in_walk_order(path_, path) >= 0)) return false;
  consumed_ += in.position();
  path_ = std::move(path);
  current_ = std::move(file);
  return has_current_ = true;
}

void FileCacheReader::give_up() {
  file_.reset();
  has_current_ = false;
}

const CachedFile* FileCacheReader::find(const std::string& path) {
  while (has_current_) {
    const auto order = compare_in_walk_order(path_, path);
    if (order == 0) {
      was_found_ = true;
      return &current_;
    }
    if (order > 0) return nullptr;
    pass_over();
  }
  return nullptr;
}

void FileCacheReader::pass_over() {
  if (!std::exchange(was_found_, false) && on_passed_) on_passed_(path_, current_);
  if (!next()) give_up();
}

void FileCacheReader::finish() {
  while (has_current_) pass_over();
}

FileCacheWriter::FileCacheWriter(std::string path, const store::ObjectId& config)
    : path_(std::move(path)), temporary_(path_ + ".XXXXXX") {
  const int fd = ::mkostemp(temporary_.data(), O_CLOEXEC);  // mode 0600
  if (fd < 0) return;
  file_ = ::fdopen(fd, "wb");
  if (file_ == nullptr) {
    ::close(fd);
    ::unlink(temporary_.c_str());
    return;
  }
  write(header_of(config));
}

FileCacheWriter::~FileCacheWriter() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  ::unlink(temporary_.c_str());
}

void FileCacheWriter::write(base::ByteSpan bytes) {
  if (file_ == nullptr || std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return;
  std::fclose(std::exchange(file_, nullptr));
  ::unlink(temporary_.c_str());
}

void FileCacheWriter::write_block() {
  const base::Bytes block = block_.take();
  block_ = {};
  base::Encoder head;
  head.u32(static_cast<std::uint32_t>(block.size())).u64(block_number_);
  head.raw(checksum(block_number_, block).span());
  ++block_number_;
  write(head.bytes());
  write(block);
}

void FileCacheWriter::add(const std::string& path, const CachedFile& file) {
  if (file_ == nullptr) return;
  const auto differs = std::ranges::mismatch(path, last_path_).in1;
  const auto shared = static_cast<std::size_t>(differs - path.begin());
  block_.varint(shared).string(std::string_view(path).substr(shared));
  encode_cached_file(file, block_);
  last_path_ = path;
  if (block_.size() >= kBlock) write_block();
}

void FileCacheWriter::commit() {
  if (block_.size() > 0) write_block();
  if (file_ == nullptr) return;
  const bool written = std::fclose(std::exchange(file_, nullptr)) == 0;
  if (!written || ::rename(temporary_.c_str(), path_.c_str()) != 0) ::unlink(temporary_.c_str());
}

}  // namespace kura::archive
