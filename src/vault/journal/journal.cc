#include "vault/journal/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "crypto/random.h"
#include "store/atomic_file.h"
#include "vault/journal/entry_reader.h"
#include "vault/journal/journal_file.h"

namespace kura::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

Status lock(int fd, const std::string& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return base::fail(Error::from_errno("cannot lock " + path, errno));
  return base::fail(ErrorCode::kConflict, fmt::format("{} is in use by another process", path),
                    "see whether another kura-vault serves this folder");
}

Result<std::uint64_t> size_of(int fd, const std::string& path) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return base::fail(Error::from_errno("cannot read " + path, errno));
  return static_cast<std::uint64_t>(status.st_size);
}

// Whether a whole entry of this vault begins anywhere in there.
bool has_entry_within(base::ByteSpan bytes, const crypto::PublicKey& vault) {
  for (std::size_t at = 0; at + kEntryPrefix <= bytes.size(); ++at) {
    const Result<std::size_t> size = entry_size(bytes.subspan(at, kEntryPrefix));
    if (!size || *size > bytes.size() - at) continue;
    const base::ByteSpan whole = bytes.subspan(at, *size);
    if (Entry::decode(whole) && is_signed_by(whole, vault)) return true;
  }
  return false;
}

}  // namespace

Journal::Journal(std::string path, base::UniqueFd file, const base::Key& seed)
    : path_(std::move(path)), file_(std::move(file)), seed_(seed), vault_(crypto::ed25519_public(seed)) {}

Error Journal::failure(std::string_view what, int reason) const {
  return Error::from_errno(fmt::format("cannot {} the journal {}", what, path_), reason);
}

Result<std::unique_ptr<Journal>> Journal::create(const std::string& path, const base::Key& vault_seed,
                                                 const std::string& name, std::int64_t now) {
  if (::access(path.c_str(), F_OK) == 0)
    return base::fail(ErrorCode::kExists, fmt::format("{} is there already", path));
  // It comes to its place with its first entry: a journal that is there says whose it is, whatever a crash leaves.
  const std::string unfinished = path + ".new";
  base::UniqueFd file(::open(unfinished.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return base::fail(Error::from_errno("cannot create the journal " + path, errno));
  KURA_TRY(lock(file.get(), path));
  std::unique_ptr<Journal> journal(new Journal(path, std::move(file), vault_seed));
  journal->name_ = name;
  Event begin{.type = EventType::kBegin, .who = name, .key = journal->vault_};
  crypto::fill_random(begin.series);  // no two journals begin alike
  KURA_TRY(journal->append(std::move(begin), now));
  KURA_TRY(store::posix_file_system().rename(unfinished, path));
  KURA_TRY(sync_folder_of(path));
  return journal;
}

Result<std::unique_ptr<Journal>> Journal::open(const std::string& path, const base::Key& vault_seed) {
  base::UniqueFd file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return base::fail(Error::from_errno("cannot open the journal " + path, errno));
  KURA_TRY(lock(file.get(), path));
  std::unique_ptr<Journal> journal(new Journal(path, std::move(file), vault_seed));
  KURA_TRY(journal->load());
  return journal;
}

Status Journal::load() {
  const base::MutexLock lock(mutex_);
  const std::uint64_t file_size = KURA_TRY(size_of(file_.get(), path_));
  EntryReader reader(file_.get(), path_);
  JournalChain chain(vault_);
  while (true) {
    const std::uint64_t begin = reader.position();
    const Result<base::ByteSpan> whole = reader.next();
    if (whole && whole->empty()) break;
    const bool is_last = !whole || reader.position() == file_size;
    Result<Entry> entry =
        whole ? chain.take(*whole, is_last ? JournalChain::Check::kSignature : JournalChain::Check::kHash)
              : base::fail(whole.error());
    // Whatever is wrong with an entry that we signed, a crash did not do it.
    const auto is_ours = [&] { return whole && is_signed_by(*whole, vault_); };
    if (!entry && is_last && chain.head().sequence != 0 && !is_ours()) {
      KURA_TRY(cut_torn_tail(begin, file_size));
      break;
    }
    if (!entry) return base::fail(std::move(entry).error());
    if (entry->sequence == 1) name_ = entry->event.who;
    offsets_.push_back(begin);
    size_ = reader.position();
  }
  head_ = chain.head();
  if (head_.sequence != 0) return {};
  return base::fail(ErrorCode::kDamaged, fmt::format("the journal {} is empty", path_),
                    "put it back from the other vault, or from a backup of this one");
}

// An append is one write that is synced before the next begins, so a crash leaves at most one entry that is not whole,
// at the end: never one of ours behind it.
Status Journal::cut_torn_tail(std::uint64_t from, std::uint64_t size) {
  const auto no_crash = [&](std::string_view why) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("the journal {} is broken at byte {}: {}, which no crash leaves", path_, from, why),
                      "compare it with the other vault's journal and with receipts, and put it back from there");
  };
  if (size - from > kEntryLimit) return no_crash(fmt::format("{} bytes follow", size - from));
  base::Bytes bytes(size - from);
  KURA_TRY(store::posix_file_system().read_at(path_, from, bytes));
  if (has_entry_within(bytes, vault_)) return no_crash("whole entries follow");
  return move_torn_end(file_.get(), path_, from, bytes);
}

Result<Receipt> Journal::append(Event event, std::int64_t now) {
  if (event.who.size() > kNameLimit || event.text.size() > kTextLimit || event.proof.size() > kProofLimit) {
    return base::fail(ErrorCode::kUsage, fmt::format("a name in a journal has at most {} bytes, a text {}, a proof {}",
                                                     kNameLimit, kTextLimit, kProofLimit));
  }
  const base::MutexLock lock(mutex_);
  if (broken_) return base::fail(*broken_);
  const Entry entry{.sequence = head_.sequence + 1,
                    .time = head_.sequence == 0 ? now : std::max(now, head_.time),
                    .before = head_.hash,
                    .event = std::move(event)};
  base::Bytes whole = entry.encode(seed_);
  if (whole.size() > kEntryLimit) {
    return base::fail(ErrorCode::kUsage, fmt::format("an entry of {} bytes is too long for a journal", whole.size()));
  }
  KURA_TRY(write(whole));
  offsets_.push_back(size_);
  size_ += whole.size();
  head_ = {.sequence = entry.sequence, .hash = hash_of(whole), .time = entry.time};
  return Receipt{.sequence = entry.sequence, .time = entry.time, .entry = std::move(whole)};
}

Status Journal::write(base::ByteSpan whole) {
  Status written = write_at(file_.get(), whole, size_, path_);
  if (written && ::fdatasync(file_.get()) == 0) return {};
  const bool was_written = written.has_value();
  Error error = was_written ? failure("sync", errno) : std::move(written).error();
  // What did not reach the disk may not stay visible. After a failed sync nobody knows what did.
  if (was_written || ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0 || ::fdatasync(file_.get()) != 0) {
    broken_ =
        Error(error.code(), error.message(), "repair the disk and start the vault again; it takes no more until then");
  }
  return base::fail(std::move(error));
}

JournalHead Journal::head() const {
  const base::MutexLock lock(mutex_);
  return head_;
}

Result<base::Bytes> Journal::read(std::uint64_t sequence, std::size_t limit) const {
  std::uint64_t begin = 0, end = 0;
  {
    const base::MutexLock lock(mutex_);
    if (sequence == 0 || sequence > head_.sequence) return base::Bytes{};
    begin = offsets_[sequence - 1];
    // The first entry that does not fit any more; the end of the file counts as one.
    const auto after =
        std::upper_bound(offsets_.begin() + static_cast<std::ptrdiff_t>(sequence), offsets_.end(), begin + limit);
    const bool all = begin + limit >= size_;
    end = all ? size_ : *(after - 1);
    if (end == begin) end = after == offsets_.end() ? size_ : *after;
  }
  base::Bytes bytes(end - begin);
  KURA_TRY(store::posix_file_system().read_at(path_, begin, bytes));
  return bytes;
}

Status Journal::for_each(const std::function<void(const Entry&, base::ByteSpan)>& visit) const {
  EntryReader reader(file_.get(), path_);
  for (std::uint64_t left = head().sequence; left > 0; --left) {
    const base::ByteSpan whole = KURA_TRY(reader.next());
    visit(KURA_TRY(Entry::decode(whole)), whole);
  }
  return {};
}

Result<JournalHead> verify_journal(const std::string& path, std::optional<crypto::PublicKey> vault,
                                   const std::function<void(const Entry&, base::ByteSpan)>& visit) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return base::fail(Error::from_errno("cannot open the journal " + path, errno));
  EntryReader reader(file.get(), path);
  JournalChain chain(vault);
  while (true) {
    const base::ByteSpan whole = KURA_TRY(reader.next());
    if (whole.empty()) return chain.head();
    visit(KURA_TRY(chain.take(whole)), whole);
  }
}

}  // namespace kura::vault
