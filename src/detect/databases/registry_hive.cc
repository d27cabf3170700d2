// By "Windows registry file format specification" (M. Suhanov): sections "Base block", "Hive bin", "Cell".
#include "detect/databases/registry_hive.h"

#include <algorithm>
#include <string>

namespace kura::detect::hive {
namespace {

constexpr std::uint64_t kBase = 4096;

bool base_block_sums(Window& in) {
  const base::ByteSpan head = in.at(0, 512);
  if (head.size() < 512) return false;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 508; i += 4) sum ^= little<std::uint32_t>(head, i);
  if (sum == 0xFFFFFFFF) sum = 0xFFFFFFFE;
  if (sum == 0) sum = 1;
  return sum == little<std::uint32_t>(head, 508);
}

// Cells follow one another up to the bin's end; of those in use the size is negative.
std::uint64_t cells_break(Window& in, Range bin, Budget& budget) {
  for (std::uint64_t at = bin.offset + 32; at < bin.end();) {
    const auto raw = static_cast<std::int32_t>(in.little32(at).value_or(0));
    const std::uint64_t size =
        raw < 0 ? 0 - static_cast<std::uint64_t>(static_cast<std::int64_t>(raw)) : static_cast<std::uint64_t>(raw);
    if (!budget.spend(8)) return 0;
    if (size < 8 || size % 8 != 0 || size > bin.end() - at) return at;
    at += size;
  }
  return 0;
}

}  // namespace

bool recognise(Window& in) { return in.has(0, "regf") && in.little32(20) == 1 && in.little32(24).value_or(99) < 7; }

// A base block that was not written to its end is healed from the log when the hive is loaded, so its checksum alone
// proves nothing; the bins do.
Report check(Window& in, Budget& budget) {
  const std::uint64_t end = kBase + in.little32(40).value_or(0);
  const bool sums = base_block_sums(in);
  if (end > in.size())
    return broken(in.size(), "it ends early: its header says " + std::to_string(end - kBase) + " bytes");
  if (!sums) return broken(508, "the checksum of its header is wrong");
  for (std::uint64_t at = kBase; at < end;) {
    if (!budget.spend(64)) return over_budget();
    const std::uint64_t size = in.little32(at + 8).value_or(0);
    const bool is_bin = in.has(at, "hbin") && in.little32(at + 4) == at - kBase && size >= kBase && size % kBase == 0;
    if (!is_bin || size > end - at) return broken(at, "there is no bin where one must begin");
    if (const std::uint64_t cell = cells_break(in, {at, size}, budget); cell != 0) {
      return broken(cell, "its cells do not fill their bin");
    }
    at += size;
  }
  if (budget.spent_out()) return over_budget();
  return whole({{{kBase, std::max(end, kBase) - kBase}, Density::kPlain}});
}

}  // namespace kura::detect::hive
