#include "base/raw_buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#include "base/huge_pages.h"

namespace kura::base {
namespace {

constexpr std::size_t kHugeFrom = 1U << 20;

}  // namespace

void RawBuffer::Free::operator()(std::uint8_t* bytes) const {
  if (mapped == 0) return ::operator delete[](bytes);
  ::munmap(bytes, mapped);
}

RawBuffer::Memory RawBuffer::allocate(std::size_t capacity) {
  if (capacity < kHugeFrom) {
    capacity_ = capacity;
    return Memory(new std::uint8_t[capacity], Free());
  }
  const std::size_t size = in_whole_huge_pages(capacity);
  // One huge page more, so that it can begin at the border of one.
  void* const mapped = ::mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const whole = static_cast<std::uint8_t*>(mapped);
  const std::size_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(whole) % kHugePage) % kHugePage;
  if (before != 0) ::munmap(whole, before);
  std::uint8_t* const begin = whole + before;
  if (before != kHugePage) ::munmap(begin + size, kHugePage - before);
  ::madvise(begin, size, MADV_HUGEPAGE);  // a wish; without it everything works
  capacity_ = size;
  return Memory(begin, Free{size});
}

}  // namespace kura::base
