// Configs, as they are and signed anew.
#include "archive/format/config.h"

#include "support/fuzz_support.h"

namespace kura {
namespace {

constexpr std::size_t kSigningKeyOffset = 8 + 2 + 16 + 8 + 32;

void try_decode(base::ByteSpan object, const base::Key& seed) {
  const auto config = [&] {
    const fuzz::AllocationWatch watch(object.size());
    return archive::Config::decode(object);
  }();
  if (!config) return;
  const base::Bytes again = config->encode(seed);
  // The signature may be another valid one: the rest has one form.
  const auto unsigned_part = [](base::ByteSpan bytes) { return bytes.first(bytes.size() - sizeof(crypto::Signature)); };
  fuzz::require(std::ranges::equal(unsigned_part(again), unsigned_part(object)), "a config has one form");
  static_cast<void>(config->check_writable());
}

}  // namespace

void fuzz::config(base::ByteSpan input) {
  const base::Key seed = fuzz::key_of(1);
  try_decode(input, seed);
  try_decode(fuzz::signed_anew(input, kSigningKeyOffset, seed), seed);
}

}  // namespace kura
