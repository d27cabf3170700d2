// Git's packs and their indexes (gitformat-pack): the last bytes of both are a digest of all before them.
#include <algorithm>
#include <array>
#include <memory>

#include <openssl/evp.h>

#include "detect/archives/validators.h"

namespace kura::detect {
namespace {

struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};

// Whether the file ends with this digest of what is before it. False also when that could not be afforded.
bool ends_with_digest(Window& in, Budget& budget, const EVP_MD* algorithm) {
  const auto size = static_cast<std::uint64_t>(EVP_MD_get_size(algorithm));
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(EVP_MD_CTX_new());
  if (in.size() < size || !digest || EVP_DigestInit_ex(digest.get(), algorithm, nullptr) != 1) return false;
  const std::uint64_t end = in.size() - size;
  for (std::uint64_t at = 0; at < end;) {
    const base::ByteSpan bytes = in.at(at, static_cast<std::size_t>(std::min<std::uint64_t>(Window::kAhead, end - at)));
    if (bytes.empty() || !budget.spend(bytes.size())) return false;
    EVP_DigestUpdate(digest.get(), bytes.data(), bytes.size());
    at += bytes.size();
  }
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> found{};
  EVP_DigestFinal_ex(digest.get(), found.data(), nullptr);
  return std::ranges::equal(in.at(end, static_cast<std::size_t>(size)), base::ByteSpan(found).first(size));
}

// SHA-1, or SHA-256 in repositories that were made so.
Report check_digest(Window& in, Budget& budget) {
  if (ends_with_digest(in, budget, EVP_sha1()) || ends_with_digest(in, budget, EVP_sha256())) return whole();
  if (budget.spent_out()) return over_budget();
  return broken(in.size(), "the digest at its end is wrong, or the file ends early");
}

}  // namespace

bool git_pack::recognise(Window& in) {
  const std::uint32_t version = in.big32(4).value_or(0);
  return in.has(0, "PACK") && (version == 2 || version == 3);
}
Report git_pack::check(Window& in, Budget& budget) { return check_digest(in, budget); }

bool git_idx::recognise(Window& in) { return in.has(0, "\xfftOc") && in.big32(4) == 2U; }
Report git_idx::check(Window& in, Budget& budget) { return check_digest(in, budget); }

}  // namespace kura::detect
