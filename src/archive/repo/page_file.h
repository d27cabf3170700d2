// A file, or memory, of pages that each carry a checksum, read page by page as they are asked for.
//
// It is not mapped. A disk that does not answer would end the program (SIGBUS) at every run instead of costing time;
// what was checked once could change under a mapping; and every page that is touched would count as this process's
// memory. Here a page is checked when it is read, and is kept in memory as far as a budget goes.
//
// When a page turns out to be damaged, the whole file is made again in memory, once, by whoever knows how.
//
// Thread-safe, but for budget(). Reading costs a pread() and a checksum of 4 KiB (about 1 us), from kept pages nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/raw_buffer.h"
#include "base/unique_fd.h"

namespace kura::archive {

// Bytes that may still be kept; shared by the files of an index.
using PageBudget = std::atomic<std::int64_t>;

class PageFile {
 public:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kText = kPage - 8;  // of a page; the checksum follows
  using Scratch = std::array<std::uint8_t, kPage>;
  enum class Keep { kNever, kWithinBudget, kAlways };

  // Fills in the checksum of page `number`.
  static void seal(std::size_t number, base::MutableByteSpan page);

  // Pages in memory, which are taken as they are.
  explicit PageFile(base::RawBuffer pages);
  // Null when there is no file of whole pages. `make_again` gives the bytes that the file should have.
  using MakeAgain = std::function<std::optional<base::RawBuffer>()>;
  static std::unique_ptr<PageFile> open(const std::string& path, MakeAgain make_again);
  ~PageFile();
  PageFile(const PageFile&) = delete;
  PageFile& operator=(const PageFile&) = delete;

  // Before the first text(). Without one no page is kept within a budget.
  void set_budget(std::shared_ptr<PageBudget> budget) { budget_ = std::move(budget); }

  std::size_t pages() const { return pages_; }
  // kText bytes, valid as long as this object and `scratch`. Null when they are damaged and could not be made again.
  const std::uint8_t* text(std::size_t number, Scratch& scratch, Keep keep) const;

 private:
  PageFile() = default;
  bool read(std::size_t number, Scratch& page) const;
  void keep_page(std::size_t number, const Scratch& page) const;
  bool take_room(Keep keep) const;
  const std::uint8_t* made_again(std::size_t number) const;

  enum State : std::uint8_t { kUnread, kBeingKept, kKept };

  std::string path_;
  base::UniqueFd file_;
  std::size_t pages_ = 0;
  std::shared_ptr<PageBudget> budget_;
  std::uint8_t* kept_ = nullptr;  // room for all pages, of which the system gives those that are written
  std::unique_ptr<std::atomic<std::uint8_t>[]> states_;  // State, by page

  MakeAgain make_again_;
  mutable std::mutex whole_mutex_;  // guards what follows, but for the pointer
  mutable bool tried_ = false;
  mutable base::RawBuffer whole_;
  mutable std::atomic<const std::uint8_t*> whole_at_ = nullptr;  // of whole_, once it is there: all pages come from it
};

// Appends records that do not cross the border of two pages.
class PageWriter {
 public:
  // Grows when it was said too few `pages`.
  explicit PageWriter(std::size_t pages) : bytes_(pages * PageFile::kPage) {}
  // Begins a new page, unless at the front of one.
  void next_page();
  // `record` has at most kText bytes.
  void add(base::ByteSpan record);
  base::RawBuffer take();

 private:
  base::RawBuffer bytes_;
  std::size_t used_ = 0;  // of the text of the last page
};

}  // namespace kura::archive
