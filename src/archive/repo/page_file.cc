#include "archive/repo/page_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "archive/repo/checksum.h"

namespace kura::archive {
namespace {

constexpr std::size_t kMostPages = 1U << 16;  // 256 MiB, of which an index of 64 MiB needs less than the half

std::uint64_t checksum_of(std::size_t number, const std::uint8_t* page) {
  return checksum({page, PageFile::kText}, number);
}

}  // namespace

void PageFile::seal(std::size_t number, base::MutableByteSpan page) {
  const std::uint64_t sum = checksum_of(number, page.data());
  std::memcpy(page.data() + kText, &sum, sizeof sum);
}

PageFile::PageFile(base::RawBuffer pages) : pages_(pages.size() / kPage), whole_(std::move(pages)) {
  whole_at_ = whole_.span().data();
}

std::unique_ptr<PageFile> PageFile::open(const std::string& path, MakeAgain make_again) {
  base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return nullptr;
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0 || size % kPage != 0 || size / kPage > kMostPages) return nullptr;
  std::unique_ptr<PageFile> opened(new PageFile);
  opened->path_ = path;
  opened->file_ = std::move(file);
  opened->pages_ = size / kPage;
  opened->make_again_ = std::move(make_again);
  void* const kept = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (kept != MAP_FAILED) {
    opened->kept_ = static_cast<std::uint8_t*>(kept);
    opened->states_ = std::make_unique<std::atomic<std::uint8_t>[]>(opened->pages_);
  }
  return opened;
}

PageFile::~PageFile() {
  if (kept_ != nullptr) ::munmap(kept_, pages_ * kPage);
}

const std::uint8_t* PageFile::text(std::size_t number, Scratch& scratch, Keep keep) const {
  if (number >= pages_) return nullptr;
  if (const std::uint8_t* whole = whole_at_.load(std::memory_order_acquire)) return whole + number * kPage;
  if (kept_ != nullptr && states_[number].load(std::memory_order_acquire) == kKept) return kept_ + number * kPage;
  if (!read(number, scratch)) return made_again(number);
  if (take_room(keep)) keep_page(number, scratch);
  return scratch.data();
}

bool PageFile::read(std::size_t number, Scratch& page) const {
  std::size_t done = 0;
  while (done < kPage) {
    const ssize_t count =
        ::pread(file_.get(), page.data() + done, kPage - done, static_cast<off_t>(number * kPage + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  std::uint64_t sum;
  std::memcpy(&sum, page.data() + kText, sizeof sum);
  return sum == checksum_of(number, page.data());
}

bool PageFile::take_room(Keep keep) const {
  if (kept_ == nullptr || keep == Keep::kNever) return false;
  if (keep == Keep::kAlways) return true;
  constexpr auto kSize = static_cast<std::int64_t>(kPage);
  if (!budget_ || budget_->load(std::memory_order_relaxed) < kSize) return false;
  budget_->fetch_sub(kSize, std::memory_order_relaxed);
  return true;
}

// Where several threads have read the page at once, one of them keeps it.
void PageFile::keep_page(std::size_t number, const Scratch& page) const {
  std::uint8_t expected = kUnread;
  if (!states_[number].compare_exchange_strong(expected, kBeingKept, std::memory_order_relaxed)) return;
  std::memcpy(kept_ + number * kPage, page.data(), kPage);
  states_[number].store(kKept, std::memory_order_release);
}

// The file goes: the next one to want it writes another.
const std::uint8_t* PageFile::made_again(std::size_t number) const {
  const std::lock_guard lock(whole_mutex_);
  if (!std::exchange(tried_, true)) {
    ::unlink(path_.c_str());
    std::optional<base::RawBuffer> whole = make_again_ ? make_again_() : std::nullopt;
    if (whole && whole->size() == pages_ * kPage) {
      whole_ = *std::move(whole);
      whole_at_.store(whole_.span().data(), std::memory_order_release);
    }
  }
  const std::uint8_t* whole = whole_at_.load(std::memory_order_relaxed);
  return whole == nullptr ? nullptr : whole + number * kPage;
}

void PageWriter::next_page() {
  if (used_ == 0) return;
  const base::MutableByteSpan rest = bytes_.spare().first(PageFile::kPage - used_);
  std::memset(rest.data(), 0, rest.size());
  bytes_.add(rest.size());
  const std::size_t number = bytes_.size() / PageFile::kPage - 1;
  PageFile::seal(number, bytes_.writable().last(PageFile::kPage));
  used_ = 0;
}

void PageWriter::add(base::ByteSpan record) {
  if (used_ + record.size() > PageFile::kText) next_page();
  if (bytes_.spare().size() < PageFile::kPage) bytes_.reserve(2 * bytes_.capacity() + PageFile::kPage);
  bytes_.append(record);
  used_ += record.size();
}

base::RawBuffer PageWriter::take() {
  next_page();
  return std::move(bytes_);
}

}  // namespace kura::archive
