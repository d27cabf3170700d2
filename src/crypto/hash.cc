#include "crypto/hash.h"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "crypto/openssl.h"

// SHA256_Init and its kin are deprecated in OpenSSL 3 in favour of EVP, but they run the same code (SHA extensions
// included) without a provider call and an allocation for each copied state, and a chunk id is computed for every
// chunk. Measured with OpenSSL 3.0 on an EPYC with SHA extensions: HMAC of 100 bytes takes 148 ns here, 280 ns with
// EVP_MD_CTX_copy_ex, 340 ns with EVP_MAC; SHA-256 of 100 bytes 90 ns against 160 ns; at 1 MiB all are equal (0.65 ms).
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace kura::crypto {
namespace {

constexpr std::size_t kBlockSize = SHA256_CBLOCK;
constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5c;

void update(SHA256_CTX& context, ByteSpan bytes) {
  require(SHA256_Update(&context, bytes.data(), bytes.size()) == 1, "SHA256_Update");
}

Digest finish(SHA256_CTX& context) {
  Digest digest;
  require(SHA256_Final(digest.bytes.data(), &context) == 1, "SHA256_Final");
  return digest;
}

void start(SHA256_CTX& context) { require(SHA256_Init(&context) == 1, "SHA256_Init"); }

// RFC 2104. The two padded keys are hashed once; a message starts from copies of those states.
class Hmac {
 public:
  explicit Hmac(ByteSpan key) {
    base::Secret<kBlockSize> block;
    if (key.size() > kBlockSize) {
      const Digest short_key = sha256(key);
      std::ranges::copy(short_key.bytes, block.writable().begin());
    } else {
      std::ranges::copy(key, block.writable().begin());
    }
    start_padded(inner_, block, kInnerPad);
    start_padded(outer_, block, kOuterPad);
    working_ = inner_;
  }
  Hmac(const Hmac&) = default;
  Hmac& operator=(const Hmac&) = default;
  ~Hmac() { OPENSSL_cleanse(this, sizeof *this); }

  void update(ByteSpan bytes) { crypto::update(working_, bytes); }
  Digest finish() {
    const Digest inner = crypto::finish(working_);
    working_ = outer_;
    crypto::update(working_, inner.bytes);
    const Digest result = crypto::finish(working_);
    working_ = inner_;
    return result;
  }

 private:
  static void start_padded(SHA256_CTX& context, const base::Secret<kBlockSize>& block, std::uint8_t pad) {
    base::Secret<kBlockSize> padded = block;
    for (std::uint8_t& byte : padded.writable()) byte ^= pad;
    start(context);
    crypto::update(context, padded.span());
  }

  SHA256_CTX inner_{};
  SHA256_CTX outer_{};
  SHA256_CTX working_{};
};

}  // namespace

Digest sha256(ByteSpan bytes) {
  SHA256_CTX context;
  start(context);
  update(context, bytes);
  return finish(context);
}

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { start(state_->context); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteSpan bytes) { crypto::update(state_->context, bytes); }

Digest Sha256::finish() {
  const Digest digest = crypto::finish(state_->context);
  start(state_->context);
  return digest;
}

struct HmacSha256::State {
  Hmac hmac;
};

HmacSha256::HmacSha256() = default;
HmacSha256::HmacSha256(const Key& key) : state_(std::make_unique<State>(State{Hmac(key.span())})) {}
HmacSha256::~HmacSha256() = default;
HmacSha256::HmacSha256(HmacSha256&&) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&&) noexcept = default;

HmacSha256 HmacSha256::clone() const {
  HmacSha256 copy;
  copy.state_ = std::make_unique<State>(*state_);
  return copy;
}

Digest HmacSha256::mac(ByteSpan message) {
  state_->hmac.update(message);
  return state_->hmac.finish();
}

Digest HmacSha256::mac(ByteSpan first, ByteSpan second) {
  state_->hmac.update(first);
  return mac(second);
}

Key hkdf_extract(ByteSpan salt, ByteSpan input_key) {
  Hmac hmac(salt);  // no salt means a salt of zeros, which is what an empty key is to HMAC
  hmac.update(input_key);
  return Key(hmac.finish().bytes);
}

void hkdf_expand(const Key& pseudorandom_key, ByteSpan info, base::MutableByteSpan out) {
  require(out.size() <= std::size_t{255} * SHA256_DIGEST_LENGTH, "hkdf_expand");
  Hmac hmac(pseudorandom_key.span());
  Key block;
  std::size_t block_size = 0;  // T(0) is empty
  for (std::uint8_t number = 1; !out.empty(); ++number) {
    hmac.update(block.span().first(block_size));
    hmac.update(info);
    hmac.update({&number, 1});
    block = Key(hmac.finish().bytes);
    block_size = block.span().size();
    const std::size_t taken = std::min(block_size, out.size());
    std::ranges::copy(block.span().first(taken), out.begin());
    out = out.subspan(taken);
  }
}

Bytes hkdf(ByteSpan input_key, ByteSpan salt, ByteSpan info, std::size_t size) {
  Bytes out(size);
  hkdf_expand(hkdf_extract(salt, input_key), info, out);
  return out;
}

Key hkdf_key(ByteSpan input_key, ByteSpan salt, std::string_view info) {
  Key out;
  hkdf_expand(hkdf_extract(salt, input_key), base::as_bytes(info), out.writable());
  return out;
}

bool equal_constant_time(ByteSpan a, ByteSpan b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace kura::crypto
