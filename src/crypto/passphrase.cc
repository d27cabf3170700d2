#include "crypto/passphrase.h"

#include <argon2.h>
#include <sys/mman.h>

#include <cstdlib>

#include <fmt/format.h>

#include "base/huge_pages.h"
#include "crypto/openssl.h"

namespace kura::crypto {
namespace {

constexpr PassphraseCost kLeastCost{.passes = ARGON2_MIN_TIME, .memory_kib = ARGON2_MIN_MEMORY};

bool is_between(std::uint32_t value, std::uint32_t least, std::uint32_t most) {
  return least <= value && value <= most;
}

base::Status check(const PassphraseCost& cost) {
  if (is_between(cost.passes, kLeastCost.passes, kPassphraseCostLimit.passes) &&
      is_between(cost.memory_kib, kLeastCost.memory_kib, kPassphraseCostLimit.memory_kib)) {
    return {};
  }
  return base::fail(base::ErrorCode::kUnsupported,
                    fmt::format("cannot derive a key from the passphrase: a cost of {} passes over {} KiB is outside "
                                "of {} to {} passes over {} to {} KiB",
                                cost.passes, cost.memory_kib, kLeastCost.passes, kPassphraseCostLimit.passes,
                                kLeastCost.memory_kib, kPassphraseCostLimit.memory_kib));
}

// Argon2 jumps about in its memory: in pages of 4 KiB nearly every jump misses the TLB, which on a virtual machine
// costs more than the mixing (0.38 s against 0.17 s of the same work).
int allocate(std::uint8_t** memory, std::size_t size) {
  const std::size_t whole = base::in_whole_huge_pages(size);
  *memory = static_cast<std::uint8_t*>(std::aligned_alloc(base::kHugePage, whole));
  if (*memory == nullptr) return ARGON2_MEMORY_ALLOCATION_ERROR;
  ::madvise(*memory, whole, MADV_HUGEPAGE);  // a wish; without it everything works
  return ARGON2_OK;
}

// NOLINTNEXTLINE(cppcoreguidelines-no-malloc): what the library was given by allocate()
void release(std::uint8_t* memory, std::size_t) { std::free(memory); }

}  // namespace

base::Result<base::Key> key_from_passphrase(std::string_view passphrase, base::ByteSpan salt,
                                            const PassphraseCost& cost) {
  KURA_TRY(check(cost));
  if (salt.size() != kPassphraseSaltSize) {
    return base::fail(base::ErrorCode::kUnsupported,
                      fmt::format("cannot derive a key from the passphrase: its salt has {} bytes, not {}", salt.size(),
                                  kPassphraseSaltSize));
  }
  base::Key key;
  argon2_context work{};
  work.out = key.writable().data();
  work.outlen = static_cast<std::uint32_t>(key.span().size());
  // Read only: the library's flags that wipe the passphrase are not set.
  // NOLINTBEGIN(cppcoreguidelines-pro-type-const-cast)
  work.pwd = reinterpret_cast<std::uint8_t*>(const_cast<char*>(passphrase.data()));
  work.pwdlen = static_cast<std::uint32_t>(passphrase.size());
  work.salt = const_cast<std::uint8_t*>(salt.data());
  // NOLINTEND(cppcoreguidelines-pro-type-const-cast)
  work.saltlen = static_cast<std::uint32_t>(salt.size());
  work.t_cost = cost.passes;
  work.m_cost = cost.memory_kib;
  work.lanes = work.threads = 1;
  work.version = ARGON2_VERSION_13;
  work.allocate_cbk = allocate;
  work.free_cbk = release;
  const int result = argon2id_ctx(&work);
  if (result == ARGON2_MEMORY_ALLOCATION_ERROR) {
    return base::fail(
        base::ErrorCode::kNoSpace,
        fmt::format("cannot derive a key from the passphrase: {} MiB of memory cannot be had", cost.memory_kib / 1024),
        "close other programs or raise the memory limit");
  }
  require(result == ARGON2_OK, "argon2id_ctx");
  return key;
}

}  // namespace kura::crypto
