// What the fuzz targets of stored objects share.
//
// A target takes an input apart with FuzzInput, watches the decoder's allocations with AllocationWatch, and holds what
// was read to its promises with require(), which a release build keeps too.
#pragma once

#include <sanitizer/allocator_interface.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "base/bytes.h"
#include "base/codec.h"
#include "crypto/keys.h"

namespace kura::fuzz {

// The targets, each in the file of its name: what `input` is to be parsed as. fuzz_main.cc calls the one that is
// chosen.
void archives(base::ByteSpan input);
void cache(base::ByteSpan input);
void ciphers(base::ByteSpan input);
void config(base::ByteSpan input);
void databases(base::ByteSpan input);
void documents(base::ByteSpan input);
void detect_disks(base::ByteSpan input);
void detect_programs(base::ByteSpan input);
void detect_text(base::ByteSpan input);
void door(base::ByteSpan input);
void entry(base::ByteSpan input);
void followed_vault(base::ByteSpan input);
void images(base::ByteSpan input);
void index(base::ByteSpan input);
void journal(base::ByteSpan input);
void judge_answers(base::ByteSpan input);
void key(base::ByteSpan input);
void lease(base::ByteSpan input);
void media(base::ByteSpan input);
void pack(base::ByteSpan input);
void pairs(base::ByteSpan input);
void parity(base::ByteSpan input);
void s3_answers(base::ByteSpan input);
void snapshot(base::ByteSpan input);
void vault_answers(base::ByteSpan input);

inline void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

// While it lives, one allocation has at most 64 bytes for each byte of the input, and 64 KiB.
class AllocationWatch {
 public:
  explicit AllocationWatch(std::size_t input) {
    static const bool hooked = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0;
    require(hooked, "allocations can be watched");
    most_ = 64 * input + (64U << 10);
  }
  ~AllocationWatch() { most_ = kUnwatched; }
  AllocationWatch(const AllocationWatch&) = delete;
  AllocationWatch& operator=(const AllocationWatch&) = delete;

 private:
  static constexpr std::size_t kUnwatched = SIZE_MAX;
  static inline std::atomic<std::size_t> most_ = kUnwatched;

  static void on_malloc(const volatile void*, std::size_t size) {
    if (size > most_) {
      most_ = kUnwatched;
      require(false, "an allocation is a small multiple of the input");
    }
  }
  static void on_free(const volatile void*) {}
};

// The first byte of an input chooses between the parsers of a target; the rest is theirs.
struct FuzzInput {
  unsigned choice = 0;
  base::ByteSpan bytes;

  FuzzInput(base::ByteSpan input, unsigned choices) {
    if (input.empty()) return;
    choice = input[0] % choices;
    bytes = input.subspan(1);
  }
};

inline base::Key key_of(std::uint8_t byte) { return base::Key(base::Bytes(32, byte)); }

// Writes the public key of `seed` at `key_offset` (when `key_offset` is within it) and its signature over the last 64
// bytes, so that what the fuzzer invents gets past the signature.
inline constexpr std::size_t kNoKey = SIZE_MAX;
inline base::Bytes signed_anew(base::ByteSpan input, std::size_t key_offset, const base::Key& seed) {
  base::Bytes object(input.begin(), input.end());
  const std::size_t signature_size = sizeof(crypto::Signature);
  if (object.size() < signature_size) return object;
  const std::size_t signed_size = object.size() - signature_size;
  if (key_offset != kNoKey && key_offset + 32 <= signed_size) {
    std::ranges::copy(crypto::ed25519_public(seed), object.begin() + static_cast<std::ptrdiff_t>(key_offset));
  }
  const crypto::Signature signature = crypto::ed25519_sign(seed, base::ByteSpan(object).first(signed_size));
  std::ranges::copy(signature, object.begin() + static_cast<std::ptrdiff_t>(signed_size));
  return object;
}

template <typename T>
base::Bytes encoded(const T& part) {
  base::Encoder out;
  part.encode(out);
  return out.take();
}

}  // namespace kura::fuzz
