// Large blocks of the heap ask for huge pages. On a virtual machine the first touch of a page may cost more than all
// else that is done with it (docs/performance.md): of a listing of 10,000 snapshots such touches were half.
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

#include "base/huge_pages.h"

// NOLINTBEGIN(cppcoreguidelines-no-malloc): this is where operator new comes from

namespace {

using kura::base::kHugePage;

constexpr std::size_t kMost = PTRDIFF_MAX;  // malloc refuses more

void* allocate(std::size_t size) {
  if (size < kHugePage || size > kMost) return std::malloc(size == 0 ? 1 : size);
  void* block = nullptr;
  if (::posix_memalign(&block, kHugePage, kura::base::in_whole_huge_pages(size)) != 0) return nullptr;
  // The last page too, where at least half of it is asked for.
  const std::size_t pages = (size + kHugePage / 2) / kHugePage;
  ::madvise(block, pages * kHugePage, MADV_HUGEPAGE);
  return block;
}

}  // namespace

void* operator new(std::size_t size) {
  for (;;) {
    if (void* block = allocate(size)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

// NOLINTEND(cppcoreguidelines-no-malloc)
