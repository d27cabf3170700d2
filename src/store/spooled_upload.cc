#include "store/spooled_upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/raw_buffer.h"
#include "base/unique_fd.h"
#include "crypto/hash.h"

namespace kura::store {
namespace {

using base::Error;
using base::Result;
using base::Status;

class SpooledUpload final : public Upload {
 public:
  SpooledUpload(Store& store, Kind kind, const ObjectId& id, std::uint64_t size, std::string folder,
                base::UniqueFd file)
      : store_(store), kind_(kind), id_(id), size_(size), folder_(std::move(folder)), file_(std::move(file)) {}

  Status write(base::ByteSpan bytes) override;
  Status finish() override;

 private:
  Status read_back(base::MutableByteSpan out) const;
  Error failure(int reason) const { return Error::from_errno("cannot keep an upload in " + folder_, reason); }

  Store& store_;
  const Kind kind_;
  const ObjectId id_;
  const std::uint64_t size_;
  const std::string folder_;
  const base::UniqueFd file_;
  std::uint64_t written_ = 0;
  crypto::Sha256 hash_;
};

Status SpooledUpload::write(base::ByteSpan bytes) {
  if (bytes.size() > size_ - written_) return base::fail(upload_is_not_as_announced(kind_, id_));
  hash_.update(bytes);
  written_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail(failure(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Status SpooledUpload::finish() {
  if (written_ != size_ || hash_.finish() != id_) return base::fail(upload_is_not_as_announced(kind_, id_));
  base::RawBuffer bytes;
  bytes.reserve(size_);
  KURA_TRY(read_back(bytes.spare().first(size_)));
  bytes.add(size_);
  return store_.put(kind_, id_, bytes.span());
}

// What the disk gives back may be something else; then the store is sent what does not match its name.
Status SpooledUpload::read_back(base::MutableByteSpan out) const {
  for (std::uint64_t done = 0; done < out.size();) {
    const ssize_t n = ::pread(file_.get(), out.data() + done, out.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return base::fail(failure(n < 0 ? errno : EIO));
    done += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Upload>> spooled_upload(Store& store, Kind kind, const ObjectId& id, std::uint64_t size,
                                               const std::string& folder) {
  base::UniqueFd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return base::fail(Error::from_errno("cannot keep an upload in " + folder, errno));
  return std::make_unique<SpooledUpload>(store, kind, id, size, folder, std::move(file));
}

}  // namespace kura::store
