// Large blocks of the heap ask for huge pages. On a virtual machine the first touch of a page may cost more than all
// else that is done with it (docs/performance.md): of a listing of 10,000 snapshots such touches were half.
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

// NOLINTBEGIN(cppcoreguidelines-no-malloc): this is where operator new comes from

namespace {

constexpr std::size_t kHugePage = 2 << 20;  // bytes, of x86-64 and most else; where it is not, the wish does no harm
constexpr std::size_t kMost = PTRDIFF_MAX;  // malloc refuses more

void* allocate(std::size_t size) {
  if (size < kHugePage || size > kMost) return std::malloc(size == 0 ? 1 : size);
  void* block = nullptr;
  const std::size_t whole = (size + kHugePage - 1) / kHugePage * kHugePage;
  if (::posix_memalign(&block, kHugePage, whole) != 0) return nullptr;
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
