#include "vault/pull/followed_journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "store/atomic_file.h"
#include "vault/journal/entry_reader.h"
#include "vault/journal/journal_file.h"
#include "vault/pull/answers.h"

namespace kura::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::uint64_t kMostOfACrash = 32ULL << 20;  // bytes: more than one answer has

}  // namespace

const char* name_of(Continuation continuation) {
  switch (continuation) {
    case Continuation::kGoesOn:
      return "goes on";
    case Continuation::kRollback:
      return "rollback";
    case Continuation::kFork:
      return "fork";
    case Continuation::kGarbage:
      return "garbage";
  }
  return "garbage";
}

Result<std::unique_ptr<FollowedJournal>> FollowedJournal::open(const std::string& path,
                                                               const crypto::PublicKey& vault) {
  base::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return base::fail(Error::from_errno("cannot open " + path, errno));
  KURA_TRY(sync_folder_of(path));
  std::unique_ptr<FollowedJournal> journal(new FollowedJournal(path, std::move(file), vault));
  KURA_TRY(journal->load());
  return journal;
}

// What is here was proven when it came: of the signatures only the last is looked at, which nothing behind it proves.
Status FollowedJournal::load() {
  struct stat status{};
  if (::fstat(file_.get(), &status) != 0) return base::fail(Error::from_errno("cannot read " + path_, errno));
  const auto file_size = static_cast<std::uint64_t>(status.st_size);
  EntryReader reader(file_.get(), path_);
  while (true) {
    size_ = reader.position();
    const Result<base::ByteSpan> whole = reader.next();
    if (whole && whole->empty()) return {};
    const bool is_last = whole && reader.position() == file_size;
    const auto check = is_last ? JournalChain::Check::kSignature : JournalChain::Check::kHash;
    if (!whole || !chain_.take(*whole, check)) return cut_torn_tail(size_, file_size);
  }
}

Status FollowedJournal::cut_torn_tail(std::uint64_t from, std::uint64_t size) {
  if (size - from > kMostOfACrash) {
    return base::fail(ErrorCode::kDamaged, fmt::format("{} is broken at byte {}, which no crash leaves", path_, from),
                      "look at this machine's disk; `kura-vault accept` follows the other vault anew");
  }
  base::Bytes bytes(size - from);
  KURA_TRY(store::posix_file_system().read_at(path_, from, bytes));
  return move_torn_end(file_.get(), path_, from, bytes);
}

// The entry that comes in the place of the last one here.
FollowedJournal::Taken FollowedJournal::compare_head(base::ByteSpan whole) const {
  if (hash_of(whole) == head().hash) return {};
  const Result<Entry> entry = Entry::decode(whole);
  const bool is_theirs = entry && entry->sequence == head().sequence && is_signed_by(whole, *chain_.vault());
  return {.continuation = is_theirs ? Continuation::kFork : Continuation::kGarbage,
          .why = fmt::format("its journal has another entry {} than it had before", head().sequence)};
}

Result<FollowedJournal::Taken> FollowedJournal::take(base::ByteSpan piece) {
  const Result<std::vector<base::ByteSpan>> entries = split_entries(piece);
  if (!entries) return Taken{.continuation = Continuation::kGarbage, .why = entries.error().message()};
  if (entries->empty()) {
    return Taken{.continuation = head().sequence == 0 ? Continuation::kGarbage : Continuation::kRollback,
                 .why = fmt::format("its journal ends before entry {}", next_from())};
  }
  Taken taken;
  base::ByteSpan fresh = piece;
  if (head().sequence != 0) {
    taken = compare_head(entries->front());
    if (taken.continuation != Continuation::kGoesOn) return taken;
    fresh = piece.subspan(entries->front().size());
  }
  JournalChain chain = chain_;  // stays where it was at an entry that does not prove right
  std::size_t good = 0;
  for (std::size_t i = head().sequence == 0 ? 0 : 1; i < entries->size(); ++i) {
    const Result<Entry> entry = chain.take((*entries)[i]);
    const bool is_newer = !entry && entry.error().code() == ErrorCode::kUnsupported;
    if (is_newer && taken.entries == 0) return base::fail(entry.error());
    if (is_newer) break;
    if (!entry || size_ + good + (*entries)[i].size() > kMostBytes) {
      taken.continuation = Continuation::kGarbage;
      taken.why = entry ? "its journal is longer than any is followed" : entry.error().message();
      break;
    }
    good += (*entries)[i].size();
    ++taken.entries;
  }
  KURA_TRY(append(fresh.first(good)));
  chain_ = std::move(chain);
  return taken;
}

Status FollowedJournal::append(base::ByteSpan entries) {
  if (entries.empty()) return {};
  Status written = write_at(file_.get(), entries, size_, path_);
  if (written && ::fdatasync(file_.get()) != 0) written = base::fail(Error::from_errno("cannot sync " + path_, errno));
  if (!written) {
    [[maybe_unused]] const int cut = ::ftruncate(file_.get(), static_cast<off_t>(size_));
    return written;
  }
  size_ += entries.size();
  return {};
}

Status FollowedJournal::for_each(const std::function<void(const Entry&)>& visit) const {
  EntryReader reader(file_.get(), path_);
  while (reader.position() < size_) visit(KURA_TRY(Entry::decode(KURA_TRY(reader.next()))));
  return {};
}

}  // namespace kura::vault
