// The size of a huge page, for memory that asks for them (madvise, MADV_HUGEPAGE).
#pragma once

#include <cstddef>

namespace kura::base {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;  // x86-64, AArch64 with 4 KiB pages; elsewhere no harm

// `size` is at least a huge page below the largest there is.
constexpr std::size_t in_whole_huge_pages(std::size_t size) { return (size + kHugePage - 1) / kHugePage * kHugePage; }

}  // namespace kura::base
